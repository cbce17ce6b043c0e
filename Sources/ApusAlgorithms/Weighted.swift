// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A value and how much it counts in a mean.
///
/// Weights are whole numbers (example counts, or 1 for everybody), so that sums of them are exact.
public struct Weighted<Value> {
  public var value: Value
  /// At least 1 and below 2²⁹ to be counted; an aggregation rejects what is outside.
  public var weight: Int

  public init(_ value: Value, by weight: Int) {
    self.value = value
    self.weight = weight
  }
}

extension Weighted: Sendable where Value: Sendable {}
extension Weighted: Equatable where Value: Equatable {}
