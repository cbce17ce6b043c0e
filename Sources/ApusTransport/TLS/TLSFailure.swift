// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Why a connection is not safe, and so is none.
struct TLSFailure: Error, Equatable {
  enum Kind: Equatable {
    /// This side does not accept the other's certificate.
    case peerRefused
    /// The other side does not accept this one's.
    case refusedByPeer
    case other
  }

  let kind: Kind
  let message: String

  init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// Reads, and forgets, what OpenSSL has noted; `refusal` is why a certificate was refused that OpenSSL would have
  /// accepted.
  init(of ssl: OpaquePointer, refusal: String?) {
    let verdict = SSL_get_verify_result(ssl)
    let code = ERR_get_error()
    ERR_clear_error()
    let reason = Int32(code & 0x7F_FFFF)
    if verdict != Int(X509_V_OK) {
      kind = .peerRefused
      let reason = refusal ?? String(cString: X509_verify_cert_error_string(verdict)) + "."
      message = "The other side's certificate is not accepted: \(reason)"
    } else if code == 0 {
      kind = .other
      message = "The connection broke during the TLS handshake or after it."
    } else {
      let text = ERR_reason_error_string(code).map { String(cString: $0) } ?? "unknown"
      // Reasons above 1000 are the other side's alerts; 42 to 49 and 116 are about certificates.
      let alert = reason - Int32(SSL_AD_REASON_OFFSET)
      kind = (42...49).contains(alert) || alert == 116 ? .refusedByPeer : .other
      message =
        kind == .refusedByPeer
        ? "The other side does not accept this side's certificate: \(text)."
        : "TLS failed: \(text)."
    }
  }
}
