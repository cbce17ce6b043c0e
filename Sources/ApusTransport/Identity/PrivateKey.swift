// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// A private key; one that we make is of NIST's curve P-256.
///
/// libcrypto keeps it, and overwrites it when the last owner lets go: TLS and signatures use the same one. It leaves
/// libcrypto only through ``pkcs8()``, to be written to its file, and its caller must overwrite that.
// Unchecked: libcrypto counts a key's owners atomically, and nothing here changes a key once it is made.
package final class PrivateKey: @unchecked Sendable {
  /// An EVP_PKEY.
  let handle: OpaquePointer

  private init(owning handle: OpaquePointer) { self.handle = handle }

  deinit { EVP_PKEY_free(handle) }

  /// A new key.
  ///
  /// - Throws: ``TransportError`` (`cryptography`) where there is no randomness.
  package static func generate() throws(TransportError) -> PrivateKey {
    guard let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else {
      throw .cryptography("No key can be made")
    }
    defer { EVP_PKEY_CTX_free(context) }
    var handle: OpaquePointer?
    guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, "P-256") == 1,
      EVP_PKEY_generate(context, &handle) == 1, let handle
    else { throw .cryptography("No key could be made") }
    return PrivateKey(owning: handle)
  }

  /// Reads the first key of a PEM text: PKCS #8 as we write it, or an organization's in an older form.
  ///
  /// - Throws: ``TransportError`` (`malformed`): no key, a broken one, or one that is encrypted.
  package convenience init(pem: [UInt8]) throws(TransportError) {
    let handle = try pem.withUnsafeBufferPointer { text throws(TransportError) in
      guard text.count <= PEM.limit,
        let source = BIO_new_mem_buf(text.baseAddress, Int32(text.count))
      else { throw TransportError(.malformed, "There is no private key in the file.") }
      defer { BIO_free(source) }
      ERR_clear_error()
      // Without this libcrypto would ask the terminal for a password.
      guard let handle = PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in -1 }, nil) else {
        throw TransportError.malformed(
          "There is no private key that can be read; one in PEM is expected, without a password")
      }
      return handle
    }
    self.init(owning: handle)
  }

  /// The key as PKCS #8, DER.
  ///
  /// Overwrite it (``Swift/Array/wipe()``) after use.
  package func pkcs8() throws(TransportError) -> [UInt8] {
    guard let info = EVP_PKEY2PKCS8(handle) else { throw .cryptography("A key cannot be written") }
    defer { PKCS8_PRIV_KEY_INFO_free(info) }
    return try DER.bytes("A key cannot be written") { i2d_PKCS8_PRIV_KEY_INFO(info, $0) }
  }

  /// The key that others may know: SubjectPublicKeyInfo, DER.
  package func publicKey() throws(TransportError) -> [UInt8] {
    try DER.bytes("A public key cannot be written") { i2d_PUBKEY(handle, $0) }
  }
}

/// Bytes that libcrypto writes.
enum DER {
  /// Runs one of libcrypto's `i2d` functions: first for the length, then for the bytes.
  static func bytes(
    _ problem: String, _ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
  ) throws(TransportError) -> [UInt8] {
    let count = write(nil)
    guard count > 0 else { throw .cryptography(problem) }
    var written: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
      var next = buffer.baseAddress
      written = write(&next)
      initialized = max(0, Int(written))
    }
    guard written == count else { throw .cryptography(problem) }
    return bytes
  }
}
