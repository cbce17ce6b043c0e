// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What one side of a connection shows to the other, and the key to it.
package struct TLSMaterial: Sendable {
  /// DER, the own certificate first, then those that lead to the authority; a server adds the authority itself,
  /// so that a client that knows only its digest can check it.
  package var certificateChain: [[UInt8]]
  /// The one that its owner has, not a copy.
  package var key: PrivateKey

  package init(certificateChain: [[UInt8]], key: PrivateKey) {
    self.certificateChain = certificateChain
    self.key = key
  }
}

/// Whom a client takes for its server; its host name or address must be in the certificate in both cases.
package enum PeerTrust: Sendable, Hashable {
  /// Certificates of authorities, DER.
  case authorities([[UInt8]])
  /// SHA-256 of the DER of a self-signed authority, which the server must send along.
  case pinnedAuthority(sha256: [UInt8])
}
