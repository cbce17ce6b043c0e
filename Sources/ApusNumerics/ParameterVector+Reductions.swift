// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

extension ParameterVector {
  /// Σ xᵢ², accumulated in Double.
  public func squaredNorm() -> Double {
    var sum = 0.0
    for i in 0..<count { sum += Double(storage.base[i]) * Double(storage.base[i]) }
    return sum
  }

  /// Whether no element is infinite or not a number.
  public var isFinite: Bool {
    (0..<count).allSatisfy { storage.base[$0].isFinite }
  }
}
