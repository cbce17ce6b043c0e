// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import COpenSSL

/// Bytes that nobody can guess: for keys, tokens and ids.
///
/// Experiments draw from `RandomStream` instead.
package enum SecureRandom {
  /// - Throws: ``TransportError`` (`cryptography`) where the system has no randomness to give.
  package static func bytes(_ count: Int) throws(TransportError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard RAND_bytes(&bytes, Int32(count)) == 1 else {
      throw .cryptography("No random bytes could be drawn")
    }
    return bytes
  }

  /// A new id: 32 hexadecimal digits.
  package static func id() throws(TransportError) -> String {
    SHA256.hexadecimal(try bytes(16))
  }
}

extension [UInt8] {
  /// Overwrites the bytes of a secret where they are; copies that were made before stay.
  package mutating func wipe() {
    withUnsafeMutableBytes { bytes in
      if let start = bytes.baseAddress { OPENSSL_cleanse(start, bytes.count) }
    }
    removeAll()
  }
}
