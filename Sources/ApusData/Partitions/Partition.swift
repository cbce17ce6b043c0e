// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// A table's rows, divided among clients: one order of the rows and where each client's begin.
///
/// The makers (``iid(rowCount:clients:shuffledBy:)`` and its siblings) give every row to exactly
/// one client and leave each client's rows in random order, so that what is held back is a random
/// part.
///
/// - Complexity: 4 bytes a row and 16 bytes a client.
public struct Partition: Sendable, Equatable {
  private let order: [Int32]
  /// `clientCount + 1` places in `order`.
  private let offsets: [Int]
  /// How many of a client's rows, the first ones, are for training.
  private let trainCounts: [Int]

  /// Rows by client, in the order given; the last ones are what may be held back.
  ///
  /// - Precondition: no row is given twice.
  public init(_ rows: [[Int32]]) {
    self.init(rows, trainCounts: rows.map(\.count))
  }

  /// Rows by client, of which the first `trainCounts` are for training.
  init(_ rows: [[Int32]], trainCounts: [Int]) {
    var offsets = [0]
    for own in rows { offsets.append(offsets[offsets.count - 1] + own.count) }
    self.init(order: Array(rows.joined()), offsets: offsets, trainCounts: trainCounts)
  }

  /// Rows by client, each client's put in random order.
  init(_ rows: consuming [[Int32]], shuffledBy random: RandomStream) {
    var rows = rows
    for client in rows.indices {
      var stream = random.split(client)
      stream.shuffle(&rows[client])
    }
    self.init(rows)
  }

  private init(order: [Int32], offsets: [Int], trainCounts: [Int]) {
    self.order = order
    self.offsets = offsets
    self.trainCounts = trainCounts
  }

  /// How many clients there are.
  public var clientCount: Int { trainCounts.count }

  /// The rows for training of the client that has most of them.
  public var largestTrainingCount: Int { trainCounts.max() ?? 0 }

  /// All rows of a client.
  public func rows(of client: Int) -> ArraySlice<Int32> {
    order[offsets[client]..<offsets[client + 1]]
  }

  /// A client's rows for training.
  public func train(of client: Int) -> ArraySlice<Int32> {
    rows(of: client).prefix(trainCounts[client])
  }

  /// A client's rows that are held back.
  public func test(of client: Int) -> ArraySlice<Int32> {
    rows(of: client).dropFirst(trainCounts[client])
  }

  /// The same division with the last rows of every client held back for testing.
  ///
  /// Those are a random part of the client's where the partition comes from one of the makers.
  /// - Parameter fraction: in 0..<1; a client with two rows or more keeps at least one for each
  ///   use.
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
