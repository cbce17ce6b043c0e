// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import COpenSSL

/// A federation's own authority: signs who is a device, an operator, an auditor or the server.
///
/// One level only: what it signs can sign nothing.
package struct CertificateAuthority: Sendable {
  package let certificate: Certificate
  package let key: PrivateKey

  /// Seconds by which clocks may differ: a certificate begins so long before it is made.
  package static let clockMargin: Int64 = 3_600
  /// Seconds that certificates hold where nothing else is said.
  package static let authorityLifetime: Int64 = 20 * 365 * 86_400
  package static let serverLifetime: Int64 = 90 * 86_400
  package static let personLifetime: Int64 = 90 * 86_400
  package static let deviceLifetime: Int64 = 7 * 86_400
  /// The longest that a device's certificate may hold.
  package static let deviceLifetimeLimit = 365.0 * 86_400

  /// An authority that was made before.
  ///
  /// - Throws: ``TransportError``: `wrong-usage` where the certificate is no authority's, `mismatch` where the key
  ///   is another's.
  package init(certificate: Certificate, key: PrivateKey) throws(TransportError) {
    guard certificate.isAuthority else {
      throw TransportError(.wrongUsage, "The certificate of the authority may not sign others.")
    }
    guard try certificate.belongs(to: key) else {
      throw TransportError(
        .mismatch, "The authority's certificate and its key do not belong together.")
    }
    self.certificate = certificate
    self.key = key
  }

  /// A new authority: self-signed, and good for nothing but signing certificates that cannot sign.
  ///
  /// - Parameters:
  ///   - federation: for the common name, which only people read.
  ///   - lifetime: seconds.
  ///   - now: seconds since 1970 (UTC).
  /// - Returns: the authority, in memory only.
  /// - Throws: ``TransportError`` (`cryptography`).
  package static func make(
    federation: String, lifetime: Int64 = authorityLifetime, at now: Int64
  ) throws(TransportError) -> CertificateAuthority {
    let key = try PrivateKey.generate()
    var draft = try CertificateDraft(
      publicKey: try key.publicKey(), from: now - 86_400, until: now + lifetime)
    try draft.name(subject: "Apus authority of \(federation)", issuer: nil)
    try draft.add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
    try draft.add(NID_key_usage, "critical,keyCertSign,cRLSign")
    try draft.add(NID_subject_key_identifier, "hash")
    return try CertificateAuthority(certificate: try draft.signed(by: key), key: key)
  }

  /// Signs who holds a key.
  ///
  /// - Parameters:
  ///   - request: checked when it was read; its names are ignored.
  ///   - name: whose certificate it is to be.
  ///   - hosts: for a server: where it is reached.
  ///   - lifetime: seconds; nil for the role's own. Never beyond the authority's end.
  ///   - now: seconds since 1970 (UTC).
  /// - Returns: the certificate, which is kept nowhere else.
  /// - Throws: ``TransportError``: `untrusted` where the authority itself is over.
  package func issue(
    for request: SigningRequest, _ name: IdentityName, hosts: [HostName] = [],
    lifetime: Int64? = nil, at now: Int64
  ) throws(TransportError) -> Certificate {
    let lifetime = lifetime ?? Self.lifetime(of: name.role)
    let end = min(now + lifetime, certificate.notAfter)
    guard end > now else {
      throw TransportError(
        .untrusted, "The federation's authority is over; it can sign no more certificates.")
    }
    var draft = try CertificateDraft(
      publicKey: request.publicKey, from: now - Self.clockMargin, until: end)
    try draft.name(subject: "\(name.role.rawValue) \(name.id)", issuer: certificate)
    try draft.add(NID_basic_constraints, "critical,CA:FALSE")
    try draft.add(NID_key_usage, "critical,digitalSignature")
    try draft.add(NID_ext_key_usage, name.role == .server ? "serverAuth" : "clientAuth")
    try draft.add(NID_subject_key_identifier, "hash")
    try draft.add(NID_authority_key_identifier, "keyid:always")
    try draft.add(name, hosts)
    return try draft.signed(by: key)
  }

  private static func lifetime(of role: Role) -> Int64 {
    switch role {
    case .device: deviceLifetime
    case .operator, .auditor: personLifetime
    case .server: serverLifetime
    }
  }
}

extension Certificate {
  /// Whether this certificate is of this key.
  func belongs(to key: PrivateKey) throws(TransportError) -> Bool {
    let handle = try X509Handle(reading: der)
    let isSame = X509_check_private_key(handle.pointer, key.handle) == 1
    ERR_clear_error()
    return isSame
  }
}
