// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// The examples of one client: indices into a table that all clients share.
public struct ClientDataset: LocalExamples {
  public let table: ExampleTable
  /// Which rows of the table are this client's.
  public let indices: ArraySlice<Int32>

  public init(_ table: ExampleTable, indices: ArraySlice<Int32>) {
    self.table = table
    self.indices = indices
  }

  /// All of a table.
  public init(all table: ExampleTable) {
    self.init(table, indices: (0..<Int32(table.count)).map { $0 }[...])
  }

  public var count: Int { indices.count }

  public func batches(
    of size: Int?, epochs: Int, shuffledBy random: RandomStream
  ) -> BatchSchedule {
    BatchSchedule(of: self, size: size, epochs: epochs, shuffledBy: random)
  }
}

/// Some examples of a table, to be gathered into a program's input.
public struct Batch: Sendable {
  public let table: ExampleTable
  public let indices: ArraySlice<Int32>
  /// What is random in a step on this batch (dropout).
  public let random: RandomStream

  public init(_ table: ExampleTable, indices: ArraySlice<Int32>, random: RandomStream) {
    self.table = table
    self.indices = indices
    self.random = random
  }

  public var count: Int { indices.count }
}
