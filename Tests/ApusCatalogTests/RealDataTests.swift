// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics
import Foundation
import Testing

@testable import ApusCatalog

/// Real sets, where this machine has them: in `$APUS_DATA`, the cache, or from Debian's packages.
struct RealDataTests {
  static let catalog = DataCatalog()

  static func has(_ name: String) -> Bool {
    guard let set = try? KnownSet.named(name) else { return false }
    return catalog.location(of: set) != .missing
  }

  func histogram(_ table: ExampleTable?) -> [Int] {
    guard let labels = table?.labels, let classCount = table?.classCount else { return [] }
    return labels.reduce(into: [Int](repeating: 0, count: classCount)) { $0[Int($1)] += 1 }
  }

  @Test("MNIST has its counts", .enabled(if: has("mnist"), "needs mnist in $APUS_DATA"))
  func mnist() throws {
    let data = try Self.catalog.load("mnist")
    #expect(data.train.inputShape == [28, 28, 1])
    #expect(
      histogram(data.train)
        == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    #expect(
      histogram(data.test) == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    #expect(data.digests.count == 4)
  }

  @Test(
    "MNIST by writer has 539 clients of 19 to 131 digits",
    .enabled(if: has("mnist-writers"), "needs mnist and mnist-writers in $APUS_DATA"))
  func writers() throws {
    let data = try Self.catalog.load("mnist-writers")
    let set = try data.federated(split: .by("writer"), holdBack: 0.2, seed: 1)
    #expect(set.clientCount == 539)
    let sizes = (0..<539).map { set.client($0).train.count + set.client($0).test.count }
    #expect(sizes.min() == 19 && sizes.max() == 131 && sizes.sorted()[269] == 116)
    #expect(sizes.reduce(0, +) == 60000)
  }

  @Test(
    "Fashion-MNIST has 6,000 and 1,000 of each class",
    .enabled(if: has("fashion-mnist"), "needs Debian's package dataset-fashion-mnist"))
  func fashion() throws {
    let data = try Self.catalog.load("fashion-mnist")
    #expect(histogram(data.train) == Array(repeating: 6000, count: 10))
    #expect(histogram(data.test) == Array(repeating: 1000, count: 10))
    #expect(data.classNames?.count == 10)
  }

  @Test("CIFAR-10 has its images", .enabled(if: has("cifar10"), "needs cifar10 in $APUS_DATA"))
  func cifar() throws {
    let data = try Self.catalog.load("cifar10")
    #expect(data.train.inputShape == [32, 32, 3])
    #expect([4000, 50000].contains(data.train.count))
    #expect([1000, 10000].contains(data.test?.count))
    // The first training image is a frog, the first test image a cat.
    #expect(data.train.labels?.first == 6)
    #expect(data.test?.labels?.first == 3)
  }

  @Test(
    "Adult has 32,561 and 16,281 people, a quarter of them above 50K",
    .enabled(if: has("adult-census"), "needs adult-census in $APUS_DATA"))
  func adult() throws {
    let data = try Self.catalog.load("adult-census")
    #expect(histogram(data.train) == [24720, 7841])
    #expect(histogram(data.test) == [12435, 3846])
    // 6 numbers, and 9 + 16 + 7 + 15 + 6 + 5 + 2 + 42 words.
    #expect(data.train.inputShape == [108])
    #expect(data.ownerNames["education"]?.count == 16)
    #expect(data.ownerNames["occupation"]?.count == 15)
    let set = try data.federated(split: .by("education"), seed: 1)
    #expect(set.clientCount == 16)
  }

  @Test(
    "WDBC has 357 benign and 212 malignant",
    .enabled(if: has("breast-cancer-wdbc"), "needs breast-cancer-wdbc in $APUS_DATA"))
  func wdbc() throws {
    let data = try Self.catalog.load("breast-cancer-wdbc")
    #expect(data.train.count == 455 && data.test?.count == 114)
    #expect(zip(histogram(data.train), histogram(data.test)).map(+) == [357, 212])
    guard case .numbers(let numbers) = data.train.inputs else { return #expect(Bool(false)) }
    let first = stride(from: 0, to: numbers.count, by: 30).map { Double(numbers[$0]) }
    #expect(abs(first.reduce(0, +) / 455) < 1e-5)
    #expect(abs(first.reduce(0) { $0 + $1 * $1 } / 455 - 1) < 1e-4)
  }

  @Test(
    "WISDM has 29 users to train on and 7 to measure on",
    .enabled(if: has("wisdm-har"), "needs wisdm-har in $APUS_DATA"))
  func wisdm() throws {
    let data = try Self.catalog.load("wisdm-har")
    #expect(data.train.inputShape == [43])
    #expect(
      zip(histogram(data.train), histogram(data.test)).map(+)
        == [528, 1625, 306, 246, 632, 2081])
    #expect(try data.federated(split: .by("user"), seed: 1).clientCount == 29)
    guard case .numbers(let numbers) = data.train.inputs else { return #expect(Bool(false)) }
    #expect(numbers.allSatisfy { $0.isFinite })
  }

  @Test(
    "Shakespeare has 1,233 roles and 75 characters and newline",
    .enabled(if: has("shakespeare"), "needs shakespeare in $APUS_DATA"))
  func shakespeare() throws {
    let data = try Self.catalog.load("shakespeare")
    #expect(data.ownerNames["role"]?.count == 1233)
    #expect(data.train.classCount == 77)
    #expect(data.train.inputShape == [80])
    let set = try data.federated(split: .by("role"), seed: 1)
    #expect(set.clientCount == 1233)
  }

  @Test(
    "Omniglot has 160 hands, of which 128 are to train on",
    .enabled(if: has("omniglot"), "needs omniglot in $APUS_DATA"))
  func omniglot() throws {
    let data = try Self.catalog.load("omniglot")
    #expect(data.train.count + (data.test?.count ?? 0) == 4840)
    #expect(try data.federated(split: .by("drawer"), seed: 1).clientCount == 128)
  }
}
