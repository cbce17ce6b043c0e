// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// How many examples clients have, and of which classes.
public struct PartitionStatistics: Hashable, Sendable {
  /// What one client has.
  public struct Client: Hashable, Sendable {
    /// Which client.
    public let index: Int
    public let trainCount: Int
    /// Examples held back.
    public let testCount: Int
    /// Examples of each class, held back or not; empty where there is not one class an example.
    public let labelCounts: [Int]

    public var count: Int { trainCount + testCount }
    /// How many classes the client has examples of.
    public var presentClassCount: Int { labelCounts.count { $0 > 0 } }
  }

  /// What the data set is called.
  public let name: String
  /// How many clients the data set has, counted here or not.
  public let clientCount: Int
  /// Those that were counted, in rising order.
  public let clients: [Client]
  /// How many classes there are; 0 where there is not one class an example.
  public let classCount: Int

  /// Counts a data set's clients.
  ///
  /// - Parameters:
  ///   - dataset: whose clients.
  ///   - limit: at most so many clients are counted, evenly spaced among all.
  /// - Complexity: O(rows of the clients counted).
  public init(of dataset: FederatedDataset, limit: Int = .max) {
    name = dataset.name
    clientCount = dataset.clientCount
    let countedCount = min(max(limit, 0), dataset.clientCount)
    var classCount = 0
    var clients: [Client] = []
    for place in 0..<countedCount {
      // place × clientCount / countedCount, which may be too large for an Int.
      let product = place.multipliedFullWidth(by: dataset.clientCount)
      let index = countedCount.dividingFullWidth(product).quotient
      let examples = dataset.client(index)
      let labelCounts = Self.labelCounts(of: examples)
      classCount = max(classCount, labelCounts.count)
      clients.append(
        Client(
          index: index, trainCount: examples.train.count, testCount: examples.test.count,
          labelCounts: labelCounts))
    }
    self.clients = clients
    self.classCount = classCount
  }

  private static func labelCounts(of examples: ClientExamples) -> [Int] {
    var counts: [Int] = []
    for part in [examples.train, examples.test] {
      guard case .classes(let classes, let classCount) = part.table.targets else { return [] }
      if counts.isEmpty { counts = Array(repeating: 0, count: classCount) }
      for row in part.indices { counts[Int(classes[Int(row)])] += 1 }
    }
    return counts
  }

  /// Examples of all clients that were counted.
  public var exampleCount: Int { clients.reduce(0) { $0 + $1.count } }

  /// The sizes of the smallest, the middle (upper, if there are two) and the largest client.
  public var sizes: (least: Int, median: Int, most: Int) {
    let sorted = clients.map(\.count).sorted()
    guard let least = sorted.first, let most = sorted.last else { return (0, 0, 0) }
    return (least, sorted[sorted.count / 2], most)
  }

  /// Examples of each class among the clients that were counted.
  public var labelCounts: [Int] {
    clients.reduce(into: [Int](repeating: 0, count: classCount)) { sums, client in
      for (label, count) in client.labelCounts.enumerated() { sums[label] += count }
    }
  }
}
