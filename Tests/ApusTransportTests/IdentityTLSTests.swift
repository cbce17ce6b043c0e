// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import COpenSSL
import Synchronization
import Testing

@testable import ApusTransport

/// Who gets through to whom, over TLS as it is served.
@Suite("Identities over TLS")
struct IdentityTLSTests {
  /// What a server says of those whom it did not trust.
  private final class Journal: Sendable {
    private let reasons = Mutex<[String]>([])

    func note(_ reason: String) { reasons.withLock { $0.append(reason) } }

    /// The only one since the last time; waits for it.
    func take() async -> String? {
      guard await eventually({ reasons.withLock { !$0.isEmpty } }) else { return nil }
      return reasons.withLock { reasons in
        defer { reasons = [] }
        return reasons.count == 1 ? reasons[0] : "\(reasons)"
      }
    }
  }

  /// A server that answers with who called.
  private static func withServer(
    _ material: TLSMaterial, clientAuthorities: [Certificate], journal: Journal = Journal(),
    _ body: (Int) async throws -> Void
  ) async throws {
    var router = CallRouter()
    router.register(raw: "/test/Who") { (call) async throws(RPCError) in
      let name = call.head.peer.identity.map { "\($0.federation)/\($0.role.rawValue)/\($0.id)" }
      try await call.send(Array((name ?? "nobody").utf8))
    }
    var configuration = ServerConfiguration(
      host: "127.0.0.1", port: 0, material: material,
      clientAuthorities: clientAuthorities.map(\.der))
    configuration.onDistrust = { _, reason in journal.note(reason) }
    let server = try GRPCServer(
      configuration, handler: router, identify: Certificate.identify)
    let port = try await server.start()
    do { try await body(port) } catch {
      await server.stop()
      throw error
    }
    await server.stop()
  }

  /// Who the server says that we are, or the status that we get.
  private static func ask(
    _ port: Int, _ trust: PeerTrust, _ identity: TLSMaterial?, host: String = "127.0.0.1"
  ) async throws -> Result<String, RPCError> {
    let channel = try GRPCChannel(host: host, port: port, trust: trust, identity: identity)
    let result: Result<String, RPCError>
    do throws(RPCError) {
      let call = try await channel.open("/test/Who", metadata: [], timeout: .seconds(10))
      try await call.finishSending()
      result = .success(String(decoding: try await call.receive() ?? [], as: UTF8.self))
    } catch { result = .failure(error) }
    await channel.close()
    return result
  }

  private static func isRefused(
    _ result: Result<String, RPCError>, with reason: String = ""
  ) -> Bool {
    guard case .failure(let error) = result else { return false }
    return error.code == .unauthenticated && (reason.isEmpty || error.message.contains(reason))
  }

  private static let local = ["127.0.0.1", "localhost"].compactMap { HostName($0) }

  @Test("A device, an operator and nobody are told apart, by pin and by authority")
  func goodCallers() async throws {
    let house = try Household()
    let authority = house.authority.certificate
    let server = try house.identity(.server, hosts: Self.local)
    let device = try house.identity(.device)
    let person = try house.identity(.operator)
    try await Self.withServer(server.tlsMaterial(), clientAuthorities: [authority]) {
      (port: Int) async throws -> Void in
      for trust in [
        PeerTrust.pinnedAuthority(sha256: authority.digest), .authorities([authority.der]),
      ] {
        #expect(try await Self.ask(port, trust, nil) == .success("nobody"))
        #expect(
          try await Self.ask(port, trust, device.tlsMaterial())
            == .success("birds/device/\(Household.deviceID)"))
        #expect(
          try await Self.ask(port, trust, person.tlsMaterial())
            == .success("birds/operator/\(Household.deviceID)"))
      }
    }
  }

  @Test(
    "A server of another authority, for another host, over, or with a device's certificate is not believed"
  )
  func wrongServers() async throws {
    let (house, other) = (try Household(), try Household())
    let authority = house.authority.certificate
    let now = Household.now
    let elsewhere = [try #require(HostName("hub.example.org"))]
    // What the client says, and the alert that the server hears.
    let cases: [(TLSMaterial, client: String, server: String)] = [
      (
        try other.identity(.server, hosts: Self.local).tlsMaterial(), "self-signed certificate",
        "unknown ca"
      ),
      (
        try house.identity(.server, hosts: elsewhere).tlsMaterial(), "IP address mismatch",
        "bad certificate"
      ),
      (
        try house.identity(.server, hosts: Self.local, lifetime: 60, at: now - 120).tlsMaterial(),
        "has expired", "certificate expired"
      ),
      (
        try house.identity(.server, hosts: Self.local, at: now + 7_200).tlsMaterial(),
        "not yet valid", "bad certificate"
      ),
      (
        try house.identity(.device, hosts: Self.local).tlsMaterial(), "certificate purpose",
        "unsupported certificate"
      ),
    ]
    for (material, client, alert) in cases {
      // A chain that ends in our authority, whoever signed the first one.
      var material = material
      if material.certificateChain.last != authority.der {
        material.certificateChain.append(authority.der)
      }
      let journal = Journal()
      try await Self.withServer(material, clientAuthorities: [authority], journal: journal) {
        (port: Int) async throws -> Void in
        for trust in [
          PeerTrust.pinnedAuthority(sha256: authority.digest), .authorities([authority.der]),
        ] {
          let result = try await Self.ask(port, trust, nil)
          #expect(Self.isRefused(result, with: client), "\(client): \(result)")
          let heard = await journal.take()
          #expect(heard?.contains("does not accept this side's certificate") == true)
          #expect(heard?.contains(alert) == true, "\(client): \(heard ?? "nothing")")
        }
      }
    }
  }

  @Test("A server that does not send the authority that is pinned is not believed")
  func pinNeedsTheAuthority() async throws {
    let house = try Household()
    let server = try house.identity(.server, hosts: Self.local)
    var material = server.tlsMaterial()
    material.certificateChain = [server.certificate.der]
    try await Self.withServer(material, clientAuthorities: [house.authority.certificate]) {
      (port: Int) async throws -> Void in
      let pin = PeerTrust.pinnedAuthority(sha256: house.authority.certificate.digest)
      #expect(Self.isRefused(try await Self.ask(port, pin, nil)))
      // The pin is of the authority, not of the server.
      let leaf = PeerTrust.pinnedAuthority(sha256: server.certificate.digest)
      #expect(Self.isRefused(try await Self.ask(port, leaf, nil)))
    }
  }

  @Test("A caller of another authority, over, not begun, nameless or a server is refused")
  func wrongCallers() async throws {
    let (house, other) = (try Household(), try Household())
    let authority = house.authority.certificate
    let server = try house.identity(.server, hosts: Self.local)
    let now = Household.now
    let nameless: TLSMaterial = try {
      let key = try PrivateKey.generate()
      var draft = try CertificateDraft(
        publicKey: try key.publicKey(), from: now - 60, until: now + 600)
      try draft.name(subject: "operator", issuer: authority)
      try draft.add(NID_ext_key_usage, "clientAuth")
      return TLSMaterial(
        certificateChain: [try draft.signed(by: house.authority.key).der], key: key)
    }()
    let selfMade: TLSMaterial = try {
      let key = try PrivateKey.generate()
      var draft = try CertificateDraft(
        publicKey: try key.publicKey(), from: now - 60, until: now + 600)
      try draft.name(subject: "Apus authority of birds", issuer: nil)
      try draft.add(NID_ext_key_usage, "clientAuth")
      try draft.add(NID_subject_alt_name, "URI:apus://birds/operator/\(Household.deviceID)")
      return TLSMaterial(certificateChain: [try draft.signed(by: key).der], key: key)
    }()
    // The alert that the client hears, and what the server says.
    let cases: [(TLSMaterial, client: String, server: String)] = [
      (try other.identity(.operator).tlsMaterial(), "unknown ca", "issuer certificate"),
      (
        try house.identity(.operator, lifetime: 60, at: now - 120).tlsMaterial(),
        "certificate expired", "has expired"
      ),
      (
        try house.identity(.operator, at: now + 7_200).tlsMaterial(), "bad certificate",
        "not yet valid"
      ),
      (server.tlsMaterial(), "unsupported certificate", "certificate purpose"),
      (nameless, "bad certificate", "names nobody"),
      (selfMade, "unknown ca", "self-signed certificate"),
    ]
    let journal = Journal()
    try await Self.withServer(
      server.tlsMaterial(), clientAuthorities: [authority], journal: journal
    ) {
      (port: Int) async throws -> Void in
      for (material, alert, reason) in cases {
        let result = try await Self.ask(port, .authorities([authority.der]), material)
        #expect(
          Self.isRefused(result, with: "does not accept this side's certificate"), "\(reason)")
        #expect(Self.isRefused(result, with: alert), "\(reason): \(result)")
        let said = await journal.take()
        #expect(said?.contains("certificate is not accepted") == true, "\(reason)")
        #expect(said?.contains(reason) == true, "\(reason): \(said ?? "nothing")")
      }
      // And the server still serves.
      #expect(try await Self.ask(port, .authorities([authority.der]), nil) == .success("nobody"))
    }
  }
}
