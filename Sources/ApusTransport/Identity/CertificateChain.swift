// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Whether certificates can be believed, asked outside of a TLS handshake.
package enum CertificateChain {
  /// Checks signatures, times, key usage and the path from a certificate to an authority.
  ///
  /// - Parameters:
  ///   - chain: the certificate in question first, then those that may lie between; none of these is trusted.
  ///   - authorities: those that are trusted.
  ///   - usage: what the certificate is to be used for.
  ///   - now: seconds since 1970 (UTC).
  /// - Throws: ``TransportError`` (`untrusted`), with libcrypto's reason.
  package static func verify(
    _ chain: [Certificate], against authorities: [Certificate], for usage: Certificate.Usage,
    at now: Int64
  ) throws(TransportError) {
    guard let first = chain.first else {
      throw TransportError(.untrusted, "There is no certificate.")
    }
    guard let store = X509_STORE_new(), let context = X509_STORE_CTX_new() else {
      throw .cryptography("Certificates cannot be verified")
    }
    defer {
      X509_STORE_CTX_free(context)
      X509_STORE_free(store)
    }
    for authority in authorities {
      let handle = try X509Handle(reading: authority.der)
      guard X509_STORE_add_cert(store, handle.pointer) == 1 else {
        throw .cryptography("Certificates cannot be verified")
      }
    }
    guard let between = OPENSSL_sk_new_null() else {
      throw .cryptography("Certificates cannot be verified")
    }
    defer { OPENSSL_sk_pop_free(between) { X509_free(OpaquePointer($0)) } }
    for certificate in chain.dropFirst() {
      let handle = try X509Handle(reading: certificate.der)
      // The list is another owner.
      X509_up_ref(handle.pointer)
      guard OPENSSL_sk_push(between, UnsafeRawPointer(handle.pointer)) > 0 else {
        X509_free(handle.pointer)
        throw .cryptography("Certificates cannot be verified")
      }
    }
    let leaf = try X509Handle(reading: first.der)
    guard X509_STORE_CTX_init(context, store, leaf.pointer, between) == 1,
      let parameters = X509_STORE_CTX_get0_param(context)
    else { throw .cryptography("Certificates cannot be verified") }
    X509_VERIFY_PARAM_set_time(parameters, time_t(now))
    X509_VERIFY_PARAM_set_purpose(
      parameters, usage == .client ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER)
    // 112 bits of security: no keys and digests that are too short.
    X509_VERIFY_PARAM_set_auth_level(parameters, 2)
    guard X509_verify_cert(context) == 1 else {
      let reason = String(
        cString: X509_verify_cert_error_string(Int(X509_STORE_CTX_get_error(context))))
      ERR_clear_error()
      throw TransportError(.untrusted, "The certificate is not to be trusted: \(reason).")
    }
  }
}
