// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A table's rows, divided among clients: one order of the rows and where each client's begin.
///
/// - Complexity: 4 bytes a row and 16 bytes a client.
public struct Partition: Sendable, Equatable {
  private let order: [Int32]
  /// `clientCount + 1` places in `order`.
  private let offsets: [Int]
  /// How many of a client's rows, the first ones, are for training.
  private let trainCounts: [Int]

  /// - Precondition: no row is given twice.
  public init(_ rows: [[Int32]]) {
    order = Array(rows.joined())
    var offsets = [0]
    var end = 0
    for own in rows {
      end += own.count
      offsets.append(end)
    }
    self.offsets = offsets
    trainCounts = rows.map(\.count)
  }

  private init(order: [Int32], offsets: [Int], trainCounts: [Int]) {
    self.order = order
    self.offsets = offsets
    self.trainCounts = trainCounts
  }

  public var clientCount: Int { trainCounts.count }

  /// All rows of a client.
  public func rows(of client: Int) -> ArraySlice<Int32> {
    order[offsets[client]..<offsets[client + 1]]
  }

  public func train(of client: Int) -> ArraySlice<Int32> {
    rows(of: client).prefix(trainCounts[client])
  }

  public func test(of client: Int) -> ArraySlice<Int32> {
    rows(of: client).dropFirst(trainCounts[client])
  }

  /// The same division with the last rows of every client held back for testing.
  ///
  /// - Parameter fraction: in 0..<1; a client with two rows or more keeps at least one for each use.
  /// - Returns: a partition with the same rows for every client.
  public func holdingBack(fraction: Double) -> Partition {
    precondition(fraction >= 0 && fraction < 1, "A fraction in 0..<1, not \(fraction).")
    guard fraction > 0 else { return self }
    let counts = (0..<clientCount).map { client in
      let count = rows(of: client).count
      let held = Int((Double(count) * fraction).rounded())
      return count < 2 ? count : count - min(max(held, 1), count - 1)
    }
    return Partition(order: order, offsets: offsets, trainCounts: counts)
  }
}
