// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// The digest of bytes that come in pieces, by libcrypto.
///
/// > NIST FIPS 180-4.
package struct SHA256: ~Copyable {
  private let context: OpaquePointer

  package init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      preconditionFailure("libcrypto offers no SHA-256, or has no memory for it.")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Takes the next bytes.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    let status = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    precondition(status == 1, "libcrypto failed to digest.")
  }

  /// The 32 bytes of the digest of all that was taken.
  package consuming func finalize() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    let status = EVP_DigestFinal_ex(context, &digest, nil)
    precondition(status == 1, "libcrypto failed to digest.")
    return digest
  }

  /// The digest of these bytes in 64 lower-case hexadecimal digits.
  package static func hexDigest(of bytes: UnsafeRawBufferPointer) -> String {
    var hash = SHA256()
    hash.update(bytes)
    return hexadecimal(hash.finalize())
  }

  /// Two lower-case digits a byte.
  package static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    func digit(_ value: UInt8) -> UInt8 {
      value + UInt8(ascii: value < 10 ? "0" : "a") - (value < 10 ? 0 : 10)
    }
    var digits: [UInt8] = []
    digits.reserveCapacity(2 * bytes.underestimatedCount)
    for byte in bytes {
      digits.append(digit(byte >> 4))
      digits.append(digit(byte & 15))
    }
    return String(decoding: digits, as: UTF8.self)
  }
}

extension ParameterVector {
  /// The SHA-256 of the numbers as little-endian Float32, in hexadecimal digits.
  public var digest: String {
    withUnsafeBufferPointer { values in
      #if _endian(little)
        return SHA256.hexDigest(of: UnsafeRawBufferPointer(values))
      #else
        return values.map(\.bitPattern.littleEndian).withUnsafeBytes { SHA256.hexDigest(of: $0) }
      #endif
    }
  }
}
