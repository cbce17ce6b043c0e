// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import COpenSSL
internal import Synchronization

/// Decides on the other side's certificates.
final class PeerCheck: Sendable {
  private let trust: PeerTrust
  private let accept: (@Sendable ([UInt8]) throws -> Void)?
  /// Why `accept` refused, between the callback that asked it and the end of the same step of the handshake.
  private let refusal = Mutex<String?>(nil)

  /// `accept` has the last word on a certificate that verifies; it gets its DER.
  init(trust: PeerTrust, accept: (@Sendable ([UInt8]) throws -> Void)?) {
    self.trust = trust
    self.accept = accept
  }

  static func of(_ argument: UnsafeMutableRawPointer?) -> PeerCheck {
    guard let argument else { preconditionFailure("OpenSSL lost the argument of a callback.") }
    return Unmanaged<PeerCheck>.fromOpaque(argument).takeUnretainedValue()
  }

  /// 1 to go on; else the reason is in `store`, and an alert goes to the other side.
  func verify(_ store: OpaquePointer?) -> Int32 {
    guard let store, let trusted = trustedCertificates(store) else { return 0 }
    defer { OPENSSL_sk_pop_free(trusted, { X509_free(OpaquePointer($0)) }) }
    guard OPENSSL_sk_num(trusted) > 0 else {
      X509_STORE_CTX_set_error(store, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN)
      return 0
    }
    X509_STORE_CTX_set0_trusted_stack(store, trusted)
    // An authority of an organization may itself be signed by another one.
    X509_VERIFY_PARAM_set_flags(
      X509_STORE_CTX_get0_param(store), UInt(X509_V_FLAG_PARTIAL_CHAIN))
    guard X509_verify_cert(store) == 1 else { return 0 }
    guard let accept else { return 1 }
    do {
      guard let certificate = X509_STORE_CTX_get0_cert(store), let der = Self.der(of: certificate)
      else { throw TransportError(.certificate, "The certificate cannot be read.") }
      try accept(der)
      return 1
    } catch {
      refusal.withLock { $0 = (error as? TransportError)?.message ?? "\(error)" }
      // Goes to the other side as the alert that its certificate is bad.
      X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
      return 0
    }
  }

  /// Why `accept` refused in the step of a handshake that has just ended, in words; nil where it did not.
  ///
  /// All handshakes of a context go on one thread, so that it is this one's.
  func takeRefusal() -> String? {
    refusal.withLock { refusal in
      defer { refusal = nil }
      return refusal
    }
  }

  private func trustedCertificates(_ store: OpaquePointer) -> OpaquePointer? {
    guard let trusted = OPENSSL_sk_new_null() else { return nil }
    switch trust {
    case .authorities(let authorities):
      for der in authorities {
        if let certificate = try? TLSContext.certificate(der) {
          OPENSSL_sk_push(trusted, UnsafeRawPointer(certificate))
        }
      }
    case .pinnedAuthority(let digest):
      let sent = X509_STORE_CTX_get0_untrusted(store)
      for place in 0..<max(0, OPENSSL_sk_num(sent)) {
        guard let raw = OPENSSL_sk_value(sent, place) else { continue }
        let certificate = OpaquePointer(raw)
        guard let der = Self.der(of: certificate), Self.sha256(der) == digest,
          X509_check_ca(certificate) == 1
        else { continue }
        X509_up_ref(certificate)
        OPENSSL_sk_push(trusted, UnsafeRawPointer(certificate))
      }
    }
    return trusted
  }

  static func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var hash = SHA256()
    bytes.withUnsafeBytes { hash.update($0) }
    return hash.finalize()
  }

  static func der(of certificate: OpaquePointer) -> [UInt8]? {
    var bytes: UnsafeMutablePointer<UInt8>?
    let length = i2d_X509(certificate, &bytes)
    guard length > 0, let bytes else { return nil }
    defer { CRYPTO_free(bytes, nil, 0) }
    return Array(UnsafeBufferPointer(start: bytes, count: Int(length)))
  }
}
