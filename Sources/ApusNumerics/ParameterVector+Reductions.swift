// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus

extension ParameterVector {
  /// The sum of the squares, accumulated in Double; the same bits on every machine.
  public func squaredNorm() -> Double { apus_squared_norm(count, storage.base) }

  /// Whether no element is infinite or not a number.
  public var isFinite: Bool { greatestMagnitude < Float.infinity.bitPattern }

  /// The greatest |xᵢ| as a bit pattern; those of infinity and NaN are above those of finite numbers.
  var greatestMagnitude: UInt32 { apus_greatest_magnitude(count, storage.base) }
}
