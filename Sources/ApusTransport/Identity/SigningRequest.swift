// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// A certificate signing request (PKCS #10): a public key, and the proof that its sender has the private one.
///
/// Names in it are ignored: who somebody is the authority decides.
package struct SigningRequest: Hashable, Sendable {
  package let der: [UInt8]
  /// SubjectPublicKeyInfo, DER.
  package let publicKey: [UInt8]

  package static let sizeLimit = 8 << 10

  /// How public keys of the two accepted kinds begin: P-256 as an uncompressed point of the named curve (64 bytes
  /// follow), and Ed25519 (32 follow).
  private static let p256Prefix: [UInt8] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
  ]
  private static let ed25519Prefix: [UInt8] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
  ]

  /// Reads a request and checks it.
  ///
  /// - Throws: ``TransportError``: `malformed` where the bytes are no request or more than 8 KiB,
  ///   `unsupported-key` for a key that is neither P-256 nor Ed25519, `not-proven` where the signature is wrong.
  package init(der: [UInt8]) throws(TransportError) {
    guard der.count <= Self.sizeLimit else {
      throw TransportError(.malformed, "A signing request of more than 8 KiB is not read.")
    }
    self.der = der
    publicKey = try der.withUnsafeBufferPointer { bytes throws(TransportError) in
      var next = bytes.baseAddress
      ERR_clear_error()
      guard let request = d2i_X509_REQ(nil, &next, bytes.count) else {
        throw TransportError.malformed("A signing request cannot be read")
      }
      defer { X509_REQ_free(request) }
      guard let start = bytes.baseAddress, next == start + bytes.count else {
        throw TransportError(
          .malformed, "Behind a signing request there are bytes that do not belong.")
      }
      guard let info = X509_REQ_get_X509_PUBKEY(request) else {
        throw TransportError.malformed("A signing request has no public key")
      }
      let publicKey = try DER.bytes("A public key cannot be written") { i2d_X509_PUBKEY(info, $0) }
      let isAccepted =
        publicKey.count == 91 && publicKey.starts(with: Self.p256Prefix)
        || publicKey.count == 44 && publicKey.starts(with: Self.ed25519Prefix)
      guard isAccepted else {
        throw TransportError(
          .unsupportedKey, "The key of a signing request must be of the curve P-256, or Ed25519.")
      }
      // Reading the key checks that its point is on the curve.
      guard let key = X509_REQ_get0_pubkey(request) else {
        throw TransportError.malformed("The public key of a signing request cannot be read")
      }
      guard X509_REQ_verify(request, key) == 1 else {
        ERR_clear_error()
        throw TransportError(
          .notProven,
          "The signature of a signing request is wrong: its sender has not shown the key.")
      }
      return publicKey
    }
  }

  /// A request for a certificate of this key.
  package static func make(for key: PrivateKey) throws(TransportError) -> SigningRequest {
    guard let request = X509_REQ_new() else {
      throw .cryptography("No signing request can be made")
    }
    defer { X509_REQ_free(request) }
    let digest = EVP_PKEY_get_base_id(key.handle) == EVP_PKEY_ED25519 ? nil : EVP_sha256()
    guard X509_REQ_set_version(request, 0) == 1, X509_REQ_set_pubkey(request, key.handle) == 1,
      X509_REQ_sign(request, key.handle, digest) > 0
    else { throw .cryptography("No signing request could be made") }
    return try SigningRequest(
      der: try DER.bytes("A signing request cannot be written") { i2d_X509_REQ(request, $0) })
  }
}
