// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
package import ApusWire
internal import COpenSSL

/// An X.509 certificate, read: who holds it, what it is for, from when until when.
///
/// Reading proves nothing: whether it can be trusted is what ``CertificateChain`` and TLS say.
package struct Certificate: Hashable, Sendable {
  /// What a certificate may be used for (extended key usage).
  package enum Usage: Hashable, Sendable {
    case client, server
  }

  package let der: [UInt8]
  /// SHA-256 of the DER bytes, 32 bytes.
  package let digest: [UInt8]
  /// Seconds since 1970 (UTC).
  package let notBefore: Int64
  package let notAfter: Int64
  /// What it says it may be used for; empty where it says nothing.
  package let usages: Set<Usage>
  /// Whether it may sign other certificates.
  package let isAuthority: Bool
  /// From the one SAN URI that begins with apus://, never from the common name; nil where there is none.
  package let name: IdentityName?
  /// The SAN's DNS names and IP addresses, as text.
  package let hosts: [HostName]
  /// SubjectPublicKeyInfo, DER.
  package let publicKey: [UInt8]
  /// For people: the distinguished names.
  package let subject: String
  package let issuer: String
  /// For people: hexadecimal digits.
  package let serial: String

  package static let sizeLimit = 64 << 10

  /// SHA-256 of the DER bytes, 64 hexadecimal digits: what is revoked, pinned and logged.
  package var fingerprint: String { SHA256.hexadecimal(digest) }

  /// Reads a certificate.
  ///
  /// - Throws: ``TransportError``: `malformed` where the bytes are no certificate, have others behind them or
  ///   are more than 64 KiB; `nameless-certificate` where an `apus://` URI is malformed or there are several.
  package init(der: [UInt8]) throws(TransportError) {
    let handle = try X509Handle(reading: der)
    self.der = der
    var hash = SHA256()
    der.withUnsafeBytes { hash.update($0) }
    digest = hash.finalize()
    notBefore = try handle.time(X509_get0_notBefore(handle.pointer))
    notAfter = try handle.time(X509_get0_notAfter(handle.pointer))
    isAuthority = X509_check_ca(handle.pointer) == 1
    usages = handle.usages()
    (name, hosts) = try handle.alternativeNames()
    publicKey = try handle.publicKey()
    subject = handle.text(of: X509_get_subject_name(handle.pointer))
    issuer = handle.text(of: X509_get_issuer_name(handle.pointer))
    serial = handle.serial()
  }

  /// Reads all certificates of a PEM text.
  ///
  /// - Throws: ``TransportError`` (`malformed`) where there is none, or as ``init(der:)`` does.
  package static func chain(pem: [UInt8]) throws(TransportError) -> [Certificate] {
    var chain: [Certificate] = []
    for block in try PEM.blocks(of: pem) where block.label == "CERTIFICATE" {
      chain.append(try Certificate(der: block.der))
    }
    guard !chain.isEmpty else {
      throw TransportError(
        .malformed, "There is no certificate (-----BEGIN CERTIFICATE-----) in it.")
    }
    return chain
  }

  package var pem: [UInt8] { PEM.text("CERTIFICATE", der) }

  /// Whether two thirds of its time are over, and it should be renewed.
  ///
  /// - Parameter now: seconds since 1970 (UTC).
  /// - Returns: whether ``renewal()`` has passed.
  package func isDue(at now: Int64) -> Bool { now >= renewal() }

  /// Seconds since 1970 (UTC) when it should be renewed: when two thirds of its time are over, or up to a tenth of
  /// its time before; its digest says how much, so that certificates that were made together are not renewed
  /// together.
  ///
  /// Its time begins when it was made, which is ``CertificateAuthority/clockMargin`` after what it says.
  package func renewal() -> Int64 {
    let lifetime = max(0, notAfter - notBefore - CertificateAuthority.clockMargin)
    let share = Double(digest[0]) * 256 + Double(digest[1])
    return notAfter - Int64(Double(lifetime) * (1.0 / 3 + 0.1 * share / 65_536))
  }

  /// Who holds a certificate that TLS has verified.
  ///
  /// - Throws: ``TransportError``: `nameless-certificate` where it has no identity, `wrong-usage` where it is an
  ///   authority's or is not for what its role does (clients for device, operator and auditor, servers for
  ///   server), and what ``init(der:)`` throws.
  package static func identify(_ der: [UInt8]) throws(TransportError) -> PeerIdentity {
    try Certificate(der: der).identity()
  }

  /// As ``identify(_:)``.
  package func identity() throws(TransportError) -> PeerIdentity {
    guard let name else {
      throw TransportError(
        .namelessCertificate,
        "The certificate names nobody: a SAN URI apus://FEDERATION/ROLE/ID is expected.")
    }
    guard !isAuthority else {
      throw TransportError(.wrongUsage, "An authority's certificate is nobody's identity.")
    }
    let usage: Usage = name.role == .server ? .server : .client
    guard usages.contains(usage) else {
      throw TransportError(
        .wrongUsage,
        "The certificate of a \(name.role.rawValue) must be for TLS \(usage)s; its extended key "
          + "usage does not say so.")
    }
    return PeerIdentity(
      federation: name.federation, role: name.role, id: name.id, fingerprint: fingerprint,
      expires: notAfter)
  }
}
