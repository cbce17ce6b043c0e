// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// How the updates of a round become one.
public protocol AggregationRule<Update>: Sendable {
  associatedtype Update: VectorSpace

  /// As in recipes, for example `weighted-mean`.
  static var name: String { get }

  /// Combines updates that are all at hand.
  ///
  /// - Parameters:
  ///   - updates: in an order that does not matter.
  ///   - bounds: of what an update may hold, agreed on before the round.
  /// - Returns: one update.
  /// - Throws: ``AlgorithmError/Code/noUpdates`` for none, or too few for this rule; or why an update
  ///   cannot be counted.
  func aggregate(
    _ updates: [Weighted<Update>], within bounds: ExactSum.Bounds
  ) throws(AlgorithmError) -> Update
}

/// A rule that needs of the updates nothing but a weighted sum.
///
/// So updates can be added as they come and be forgotten (``WeightedSum``), in any order, in parts, and
/// encrypted. Secure aggregation asks for this protocol.
public protocol LinearAggregationRule<Update>: AggregationRule {
  /// How much an update counts, where its algorithm says that it weighs so much.
  ///
  /// It does not fall when the declared weight rises: the bound of the one gives the bound of the other.
  func weight(forDeclared weight: Int) -> Int
}

extension LinearAggregationRule {
  public func aggregate(
    _ updates: [Weighted<Update>], within bounds: ExactSum.Bounds
  ) throws(AlgorithmError) -> Update {
    let lengths = updates.first?.value.vectors.map(\.count) ?? []
    var sum = try WeightedSum<Update>(lengths: lengths, bounds: bounds)
    for update in updates { try sum.add(update, by: self) }
    guard let mean = sum.mean() else {
      throw AlgorithmError(.noUpdates, "There is no mean of no updates; at least 1 was expected.")
    }
    return mean
  }
}

/// Every update counts as much as its algorithm says: by its client's examples, as FedAvg does.
public struct WeightedMean<Update: VectorSpace>: LinearAggregationRule {
  public static var name: String { "weighted-mean" }

  public init() {}

  public func weight(forDeclared weight: Int) -> Int { weight }
}

/// Every update counts alike.
public struct UniformMean<Update: VectorSpace>: LinearAggregationRule {
  public static var name: String { "uniform-mean" }

  public init() {}

  public func weight(forDeclared weight: Int) -> Int { 1 }
}
