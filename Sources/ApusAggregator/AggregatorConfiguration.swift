// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What an aggregator is and allows.
///
/// ```swift
/// var configuration = AggregatorConfiguration(directory: "/var/lib/apus")
/// configuration.names = ["fed.example.org"]
/// let aggregator = Aggregator(configuration)
/// let port = try await aggregator.start()
/// if let invitation = aggregator.firstInvitation { print(invitation) }
/// try await aggregator.run()
/// ```
public struct AggregatorConfiguration: Sendable {
  /// Where all state is; made where it is not there.
  ///
  /// One aggregator at a time has it.
  public var directory: String
  /// The address to listen on.
  public var host = "0.0.0.0"
  /// 0 for any that is free.
  public var port = 8443
  /// What it says it is, for example 0.4.0.
  public var version = ""
  /// Names and addresses that devices reach it by; the first is in invitations.
  ///
  /// This machine's loopback is always one.
  public var names: [String] = []
  /// A name for a new federation, in all certificates; nil for a random one.
  public var federation: String?
  /// An organization's certificates in place of an authority of the aggregator's own.
  public var certificates: OrganizationCertificates?
  /// How many devices may join with the first invitation, and for how many seconds.
  public var firstInvitationUses: UInt32 = 100
  public var firstInvitationLifetime: Double = 86_400
  /// Bytes that blobs may take on the disk; nil for 1 TiB.
  ///
  /// A part of the disk is left free in any case.
  public var blobQuota: UInt64?
  /// Bytes of one blob.
  public var blobLimit: UInt64 = 1 << 37
  /// Where the log goes, JSON lines; nil for standard error.
  public var logFile: String?
  /// Connections at once.
  public var connectionLimit = 20_000
  /// Seconds that a device's lease lives without being kept alive.
  public var leaseSeconds = 60.0
  /// Seconds that a round waits for more devices when there are enough to begin.
  public var gatheringSeconds = 0.5
  /// Seconds that a device's certificate holds; devices renew it when about two thirds of them are over.
  public var deviceCertificateSeconds = 7.0 * 86_400
  /// Threads that measure models.
  public var evaluationThreads = 2

  public init(directory: String) { self.directory = directory }
}

/// Certificates that an organization made.
public struct OrganizationCertificates: Sendable {
  /// The server's, then those between it and the authority (PEM); its SAN names it with a URI
  /// `apus://FEDERATION/server/ID`.
  public var certificateFile: String
  /// Its key (PEM, without a password).
  public var keyFile: String
  /// Whose client certificates are accepted (PEM).
  public var clientAuthorityFile: String

  public init(certificateFile: String, keyFile: String, clientAuthorityFile: String) {
    self.certificateFile = certificateFile
    self.keyFile = keyFile
    self.clientAuthorityFile = clientAuthorityFile
  }
}
