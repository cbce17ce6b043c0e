// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// The secret of an invitation: 32 random bytes.
///
/// The aggregator keeps only its digest.
package struct Token: Hashable, Sendable {
  /// 32 bytes.
  package let bytes: [UInt8]

  /// A new one.
  package static func make() throws(TransportError) -> Token {
    Token(bytes: try SecureRandom.bytes(32))
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  /// Reads base64url without padding: 43 characters, in the one way that 32 bytes are written; nil otherwise.
  package init?(text: String) {
    guard text.utf8.count == 43, let bytes = Base64URL.bytes(text.utf8), bytes.count == 32 else {
      return nil
    }
    self.bytes = bytes
  }

  /// 43 characters of base64url, not to be logged.
  package var text: String { Base64URL.text(bytes) }

  /// SHA-256 of the bytes, 32 bytes: what is stored and looked up.
  ///
  /// Looking up a digest tells nothing, by the
  /// time it takes, about tokens: nobody can choose a token whose digest begins as another's does.
  package var digest: [UInt8] {
    var hash = SHA256()
    bytes.withUnsafeBytes { hash.update($0) }
    return hash.finalize()
  }
}

// Not even by accident in a log.
extension Token: CustomStringConvertible, CustomDebugStringConvertible {
  package var description: String { "(token)" }
  package var debugDescription: String { "(token)" }
}

enum Base64URL {
  private static let letters = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  static func text(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(letters[Int(bits >> UInt32(count) & 63)])
      }
    }
    if count > 0 { text.append(letters[Int(bits << UInt32(6 - count) & 63)]) }
    return String(decoding: text, as: UTF8.self)
  }

  /// Nil where a letter does not belong or bits are left that are not 0.
  static func bytes(_ text: some Collection<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for letter in text {
      guard let value = letters.firstIndex(of: letter) else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return count < 6 && bits & (1 << UInt32(count) - 1) == 0 ? bytes : nil
  }
}

package enum Hexadecimal {
  /// Nil where there is anything but lower-case digits in pairs.
  package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in text.utf8 {
      let value: UInt8
      switch digit {
      case 0x30...0x39: value = digit - 0x30
      case 0x61...0x66: value = digit - 0x57
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return high == nil ? bytes : nil
  }
}
