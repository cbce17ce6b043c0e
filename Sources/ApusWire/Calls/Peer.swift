// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a certificate lets its holder do.
public enum Role: String, Hashable, Sendable, CaseIterable {
  /// Takes part in rounds.
  case device
  /// Launches tasks, invites and revokes.
  case `operator`
  /// Reads.
  case auditor
  /// The aggregator itself.
  case server
}

/// Who holds a certificate, as its SAN URI `apus://FEDERATION/ROLE/ID` says.
public struct PeerIdentity: Hashable, Sendable {
  public var federation: String
  public var role: Role
  /// 32 hexadecimal digits.
  public var id: String
  /// SHA-256 of the certificate, 64 hexadecimal digits: what is revoked.
  public var fingerprint: String
  /// Seconds since 1970 (UTC) when the certificate ends.
  public var expires: Int64

  public init(federation: String, role: Role, id: String, fingerprint: String, expires: Int64) {
    self.federation = federation
    self.role = role
    self.id = id
    self.fingerprint = fingerprint
    self.expires = expires
  }
}

/// The other end of a connection.
public struct Peer: Hashable, Sendable {
  /// Nil where it showed no certificate.
  public var identity: PeerIdentity?
  /// For logs and admission, for example `192.0.2.1:51812`.
  public var address: String

  public init(identity: PeerIdentity?, address: String) {
    self.identity = identity
    self.address = address
  }
}
