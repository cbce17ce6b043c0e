// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus

/// What numbers in memory that somebody else keeps are like, without a copy of them.
package enum NumberScan {
  /// The greatest |x|; infinite or not a number where one of them is.
  package static func greatestMagnitude(_ numbers: UnsafeBufferPointer<Float>) -> Float {
    guard let base = numbers.baseAddress else { return 0 }
    return Float(bitPattern: apus_greatest_magnitude(numbers.count, base))
  }

  /// The sum of the squares, accumulated in Double; the same bits on every machine.
  package static func squaredNorm(_ numbers: UnsafeBufferPointer<Float>) -> Double {
    guard let base = numbers.baseAddress else { return 0 }
    return apus_squared_norm(numbers.count, base)
  }
}
