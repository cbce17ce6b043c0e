// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import Testing

@testable import ApusData

struct PartitionTests {
  let random = RandomStream(seed: 11)

  /// 1,000 labels of 10 classes, 100 each, in an order without pattern.
  let labels: [Int32] = {
    var labels = (0..<1000).map { Int32($0 % 10) }
    var stream = RandomStream(seed: 3)
    stream.shuffle(&labels)
    return labels
  }()

  func expectEveryRowOnce(_ partition: Partition, rowCount: Int) {
    let rows = (0..<partition.clientCount).flatMap { Array(partition.rows(of: $0)) }
    #expect(rows.sorted() == (0..<Int32(rowCount)).map { $0 })
  }

  func sizes(_ partition: Partition) -> [Int] {
    (0..<partition.clientCount).map { partition.rows(of: $0).count }
  }

  func classes(of client: Int, in partition: Partition) -> Set<Int32> {
    Set(partition.rows(of: client).map { labels[Int($0)] })
  }

  @Test("IID gives every row once, and sizes that differ by one at most")
  func iid() throws {
    let partition = try Partition.iid(rowCount: 1003, clients: 10, shuffledBy: random)
    expectEveryRowOnce(partition, rowCount: 1003)
    #expect(sizes(partition) == [101, 101, 101] + Array(repeating: 100, count: 7))
    let same = try Partition.iid(rowCount: 1003, clients: 10, shuffledBy: random)
    #expect(partition == same)
    let other = try Partition.iid(
      rowCount: 1003, clients: 10, shuffledBy: RandomStream(seed: 12))
    #expect(partition != other)
  }

  @Test("Shards give every row once, equal sizes, and no more classes than shards can touch")
  func shards() throws {
    // 20 shards of 50: each lies within one class.
    let partition = try Partition.shards(
      labels: labels, clients: 10, perClient: 2, shuffledBy: random)
    expectEveryRowOnce(partition, rowCount: 1000)
    #expect(sizes(partition) == Array(repeating: 100, count: 10))
    for client in 0..<10 { #expect((1...2).contains(classes(of: client, in: partition).count)) }
  }

  @Test("The shards of MNIST are 200 of 300, two a client, four classes at most")
  func pathological() throws {
    // Unequal classes, as MNIST's are.
    let counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    let labels = counts.enumerated().flatMap { Array(repeating: Int32($0), count: $1) }
    let partition = try Partition.shards(
      labels: labels, clients: 100, perClient: 2, shuffledBy: random)
    expectEveryRowOnce(partition, rowCount: 60000)
    #expect(sizes(partition) == Array(repeating: 600, count: 100))
    for client in 0..<100 {
      let rows = partition.rows(of: client).sorted()
      // Labels come sorted here, so that a shard spans two classes at most.
      #expect(Set(rows.map { labels[Int($0)] }).count <= 4)
    }
  }

  @Test("Dirichlet gives every row once, the minimum, and skew that follows alpha")
  func dirichlet() throws {
    var meanClasses: [Double] = []
    for alpha in [0.1, 100] {
      let partition = try Partition.dirichlet(
        labels: labels, clients: 10, alpha: alpha, minimum: 5, shuffledBy: random)
      expectEveryRowOnce(partition, rowCount: 1000)
      #expect(sizes(partition).allSatisfy { $0 >= 5 })
      let counts = (0..<10).map { classes(of: $0, in: partition).count }
      meanClasses.append(Double(counts.reduce(0, +)) / 10)
    }
    #expect(meanClasses[0] < 6)
    #expect(meanClasses[1] > 9.5)
  }

  @Test("A Dirichlet minimum that cannot be had is an error after a bounded number of draws")
  func dirichletGivesUp() throws {
    let error = try #require(throws: DataError.self) {
      _ = try Partition.dirichlet(
        labels: labels, clients: 20, alpha: 1e-6, minimum: 40, shuffledBy: random)
    }
    #expect(error.code == .impossibleSplit)
    #expect(error.message.contains("larger alpha"))
  }

  @Test("Dirichlet proportions have the mean and variance of the distribution")
  func dirichletMoments() {
    var stream = RandomStream(seed: 5)
    for alpha in [0.3, 2.0] {
      let samples = (0..<4000).map { _ in stream.dirichlet(4, alpha: alpha)[1] }
      let mean = samples.reduce(0, +) / 4000
      let variance = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
      #expect(abs(mean - 0.25) < 0.02)
      #expect(abs(variance / (0.25 * 0.75 / (4 * alpha + 1)) - 1) < 0.1)
    }
    for alpha in [1e-6, 1e6] {
      let proportions = stream.dirichlet(7, alpha: alpha)
      #expect(abs(proportions.reduce(0, +) - 1) < 1e-9)
      #expect(proportions.allSatisfy { $0.isFinite })
    }
  }

  @Test("Quantity skew gives every row once and everybody one at least", arguments: [0.01, 0.5])
  func quantity(alpha: Double) throws {
    let partition = try Partition.quantitySkew(
      rowCount: 1000, clients: 50, alpha: alpha, shuffledBy: random)
    expectEveryRowOnce(partition, rowCount: 1000)
    #expect(sizes(partition).allSatisfy { $0 >= 1 })
    #expect((sizes(partition).max() ?? 0) > 40)
  }

  @Test("A natural key gives everybody their own rows")
  func natural() throws {
    let owners = labels.map { $0 * 3 + 100 }
    let partition = try Partition.natural(owners: owners, shuffledBy: random)
    expectEveryRowOnce(partition, rowCount: 1000)
    #expect(partition.clientCount == 10)
    for client in 0..<10 { #expect(classes(of: client, in: partition) == [Int32(client)]) }
  }

  @Test("What is held back is a random part of a client's rows, not the last of a sorted list")
  func holdingBack() throws {
    let partition = try Partition.shards(
      labels: labels, clients: 5, perClient: 4, shuffledBy: random
    ).holdingBack(fraction: 0.2)
    for client in 0..<5 {
      #expect(partition.train(of: client).count == 160)
      #expect(partition.test(of: client).count == 40)
      let train = Set(partition.train(of: client).map { labels[Int($0)] })
      let test = Set(partition.test(of: client).map { labels[Int($0)] })
      #expect(train == test)
    }
    let sorted = try Partition.natural(
      owners: Array(repeating: 0, count: 100), shuffledBy: random
    ).holdingBack(fraction: 0.5)
    #expect(sorted.test(of: 0).contains { $0 < 50 } && sorted.train(of: 0).contains { $0 >= 50 })
  }

  @Test("Whoever has two rows keeps one for each use; whoever has one trains on it")
  func holdingBackLittle() {
    let partition = Partition([[4], [1, 2], [], [5, 6, 7]]).holdingBack(fraction: 0.9)
    #expect((0..<4).map { partition.train(of: $0).count } == [1, 1, 0, 1])
    #expect((0..<4).map { partition.test(of: $0).count } == [0, 1, 0, 2])
  }

  @Test("Impossible splits say what to change")
  func impossible() {
    let attempts: [() throws -> Partition] = [
      { try .iid(rowCount: 5, clients: 6, shuffledBy: random) },
      { try .iid(rowCount: 5, clients: 0, shuffledBy: random) },
      { try .shards(labels: labels, clients: 10, perClient: 101, shuffledBy: random) },
      { try .shards(labels: labels, clients: 10, perClient: 0, shuffledBy: random) },
      { try .shards(labels: labels, clients: 10, perClient: .max, shuffledBy: random) },
      { try .dirichlet(labels: labels, clients: 10, alpha: 0, minimum: 0, shuffledBy: random) },
      { try .dirichlet(labels: labels, clients: 10, alpha: .nan, minimum: 0, shuffledBy: random) },
      { try .dirichlet(labels: labels, clients: 10, alpha: 1, minimum: 101, shuffledBy: random) },
      { try .quantitySkew(rowCount: 10, clients: 11, alpha: 1, shuffledBy: random) },
      { try .natural(owners: [], shuffledBy: random) },
    ]
    for attempt in attempts {
      let error = #expect(throws: DataError.self) { try attempt() }
      #expect(error?.code == .impossibleSplit)
    }
  }
}
