// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a column can hold.
package enum SQLValue: Hashable, Sendable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob([UInt8])
}

/// A type whose values can be bound to a statement and read from a column.
///
/// 64 bits without a sign are stored as the signed number with the same bits: they come back as they
/// were, but those from 2⁶³ on sort below 0.
package protocol SQLConvertible: Sendable {
  var sqlValue: SQLValue { get }

  /// Nil where the column holds something else.
  init?(sqlValue: SQLValue)
}

extension SQLConvertible where Self: FixedWidthInteger {
  package var sqlValue: SQLValue {
    .integer(Self.isSigned ? Int64(self) : Int64(bitPattern: UInt64(self)))
  }

  package init?(sqlValue: SQLValue) {
    guard case .integer(let value) = sqlValue else { return nil }
    if Self.isSigned {
      self.init(exactly: value)
    } else {
      self.init(exactly: UInt64(bitPattern: value))
    }
  }
}

extension Int: SQLConvertible {}
extension Int64: SQLConvertible {}
extension Int32: SQLConvertible {}
extension UInt64: SQLConvertible {}
extension UInt32: SQLConvertible {}
extension UInt8: SQLConvertible {}

extension Bool: SQLConvertible {
  package var sqlValue: SQLValue { .integer(self ? 1 : 0) }

  package init?(sqlValue: SQLValue) {
    switch sqlValue {
    case .integer(0): self = false
    case .integer(1): self = true
    default: return nil
    }
  }
}

extension Double: SQLConvertible {
  package var sqlValue: SQLValue { .real(self) }

  package init?(sqlValue: SQLValue) {
    guard case .real(let value) = sqlValue else { return nil }
    self = value
  }
}

extension String: SQLConvertible {
  package var sqlValue: SQLValue { .text(self) }

  package init?(sqlValue: SQLValue) {
    guard case .text(let value) = sqlValue else { return nil }
    self = value
  }
}

extension [UInt8]: SQLConvertible {
  package var sqlValue: SQLValue { .blob(self) }

  package init?(sqlValue: SQLValue) {
    guard case .blob(let value) = sqlValue else { return nil }
    self = value
  }
}

extension Optional: SQLConvertible where Wrapped: SQLConvertible {
  package var sqlValue: SQLValue { map(\.sqlValue) ?? .null }

  package init?(sqlValue: SQLValue) {
    if sqlValue == .null {
      self = .none
    } else {
      guard let value = Wrapped(sqlValue: sqlValue) else { return nil }
      self = .some(value)
    }
  }
}
