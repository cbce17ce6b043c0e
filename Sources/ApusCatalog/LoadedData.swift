// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusData
internal import ApusNumerics

/// A data set in memory, not yet divided among clients.
public struct LoadedData: Sendable {
  public let name: String
  public let train: ExampleTable
  /// Examples to measure on, where the set has such.
  public let test: ExampleTable?
  /// By key (writer, user): the owner of each row of ``train``.
  public var naturalKeys: [String: [Int32]] = [:]
  /// By key: the names of owners 0, 1, …, where they have names.
  public var ownerNames: [String: [String]] = [:]
  /// What the classes mean, class 0 first, where that is known.
  public var classNames: [String]?
  /// By file (`mnist/train-images-idx3-ubyte`): the SHA-256 of its bytes, inflated.
  public var digests: [String: String] = [:]

  public init(_ name: String, train: ExampleTable, test: ExampleTable? = nil) {
    self.name = name
    self.train = train
    self.test = test
  }
}

/// How rows are divided among clients.
public enum SplitRule: Hashable, Sendable {
  /// Everybody has some of everything.
  case iid
  /// ``Partition/shards(labels:clients:perClient:shuffledBy:)``.
  case shards(perClient: Int)
  /// ``Partition/dirichlet(labels:clients:alpha:minimum:shuffledBy:)``.
  case dirichlet(alpha: Double, minimum: Int)
  /// ``Partition/quantitySkew(rowCount:clients:alpha:shuffledBy:)``.
  case quantity(alpha: Double)
  /// By a natural key, such as the writer.
  case by(String)
}

extension LoadedData {
  /// The data as clients have them.
  ///
  /// - Parameters:
  ///   - rule: who gets what.
  ///   - clients: how many; nil where the rule tells.
  ///   - holdBack: the part of every client's examples that is kept for measuring, in 0..<1.
  ///   - seed: the same seed gives the same division.
  /// - Returns: clients of ``train``, with ``test`` as the central test.
  /// - Throws: `impossible-split`, with what to change.
  public func federated(
    split rule: SplitRule, clients: Int? = nil, holdBack: Double = 0, seed: UInt64
  ) throws(DataError) -> FederatedDataset {
    guard holdBack >= 0, holdBack < 1 else {
      throw DataError(
        .impossibleSplit,
        "Cannot hold back \(holdBack) of a client's examples; "
          + "expected a part in 0..<1, such as 0.2."
      )
    }
    let random = RandomStream(seed: seed).split(Self.splitUse)
    let partition = try partition(by: rule, clients: clients, shuffledBy: random)
    return FederatedDataset(
      name, dividing: train, by: partition.holdingBack(fraction: holdBack), centralTest: test)
  }

  /// "split" in ASCII: an experiment's other streams have other labels.
  private static let splitUse = 0x73_706C_6974

  private func partition(
    by rule: SplitRule, clients: Int?, shuffledBy random: RandomStream
  ) throws(DataError) -> Partition {
    if case .by(let key) = rule { return try natural(key, clients: clients, shuffledBy: random) }
    guard let clients else {
      throw DataError(
        .impossibleSplit, "The split of \(name) does not tell the number of clients; say it.")
    }
    switch rule {
    case .iid, .by:
      return try .iid(rowCount: train.count, clients: clients, shuffledBy: random)
    case .shards(let perClient):
      return try .shards(
        labels: labels(), clients: clients, perClient: perClient, shuffledBy: random)
    case .dirichlet(let alpha, let minimum):
      return try .dirichlet(
        labels: labels(), clients: clients, alpha: alpha, minimum: minimum, shuffledBy: random)
    case .quantity(let alpha):
      return try .quantitySkew(
        rowCount: train.count, clients: clients, alpha: alpha, shuffledBy: random)
    }
  }

  private func labels() throws(DataError) -> [Int32] {
    guard let labels = train.labels else {
      throw DataError(
        .impossibleSplit,
        "\(name) has no single class an example to split by; take iid, quantity or a natural key.")
    }
    return labels
  }

  private func natural(
    _ key: String, clients: Int?, shuffledBy random: RandomStream
  ) throws(DataError) -> Partition {
    guard let owners = naturalKeys[key] else {
      let keys = naturalKeys.keys.sorted()
      throw DataError(
        .impossibleSplit,
        "\(name) cannot be split by \"\(key)\"; "
          + (keys.isEmpty
            ? "it has no natural keys. Take iid, shards, dirichlet or quantity."
            : "expected one of \(keys.joined(separator: ", "))."))
    }
    let partition = try Partition.natural(owners: owners, shuffledBy: random)
    guard clients == nil || clients == partition.clientCount else {
      throw DataError(
        .impossibleSplit,
        "\(name) by \(key) has \(partition.clientCount) clients, not \(clients ?? 0). "
          + "Leave the number of clients out.")
    }
    return partition
  }
}
