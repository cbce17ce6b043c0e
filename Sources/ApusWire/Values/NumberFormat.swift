// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// How the numbers of a model or an update are written, all little-endian.
package enum NumberFormat: Hashable, Sendable, CaseIterable {
  /// IEEE 754 binary32: the numbers themselves.
  case float32
  /// The upper half of a binary32: its range, 8 bits of precision. Rounded to nearest, ties to even.
  case bfloat16
  /// IEEE 754 binary16: up to 65,504, 11 bits of precision. Rounded to nearest, ties to even; what is too
  /// large becomes infinite, and is refused where it arrives.
  case float16

  /// Bytes in a number.
  package var byteCount: Int { self == .float32 ? 4 : 2 }

  /// Nil for types that updates are not written in.
  package init?(_ type: Proto.DataType) {
    switch type {
    case .float32: self = .float32
    case .bfloat16: self = .bfloat16
    case .float16: self = .float16
    default: return nil
    }
  }

  /// As messages have it.
  package var dataType: Proto.DataType {
    switch self {
    case .float32: .float32
    case .bfloat16: .bfloat16
    case .float16: .float16
    }
  }
}
