// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import COpenSSL
import Testing

@testable import ApusTransport

/// Who gets through to whom, over TLS as it is served.
@Suite("Identities over TLS")
struct IdentityTLSTests {
  /// A server that answers Health with who called.
  private static func withServer(
    _ material: TLSMaterial, clientAuthorities: [Certificate],
    _ body: (Int) async throws -> Void
  ) async throws {
    var router = CallRouter()
    router.register(raw: "/test/Who") { (call) async throws(RPCError) in
      let name = call.head.peer.identity.map { "\($0.federation)/\($0.role.rawValue)/\($0.id)" }
      try await call.send(Array((name ?? "nobody").utf8))
    }
    let server = try GRPCServer(
      ServerConfiguration(
        host: "127.0.0.1", port: 0, material: material,
        clientAuthorities: clientAuthorities.map(\.der)), handler: router,
      identify: Certificate.identify)
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

  private static func isRefused(_ result: Result<String, RPCError>) -> Bool {
    if case .failure(let error) = result { error.code == .unauthenticated } else { false }
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
    let cases: [(String, TLSMaterial)] = [
      ("another authority", try other.identity(.server, hosts: Self.local).tlsMaterial()),
      ("another host", try house.identity(.server, hosts: elsewhere).tlsMaterial()),
      (
        "over",
        try house.identity(.server, hosts: Self.local, lifetime: 60, at: now - 120).tlsMaterial()
      ),
      ("not begun", try house.identity(.server, hosts: Self.local, at: now + 7_200).tlsMaterial()),
      ("a device as the server", try house.identity(.device, hosts: Self.local).tlsMaterial()),
    ]
    for (name, material) in cases {
      // A chain that ends in our authority, whoever signed the first one.
      var material = material
      if material.certificateChain.last != authority.der {
        material.certificateChain.append(authority.der)
      }
      try await Self.withServer(material, clientAuthorities: [authority]) {
        (port: Int) async throws -> Void in
        for trust in [
          PeerTrust.pinnedAuthority(sha256: authority.digest), .authorities([authority.der]),
        ] {
          let result = try await Self.ask(port, trust, nil)
          #expect(Self.isRefused(result), "\(name): \(result)")
        }
      }
    }
  }

  @Test("A server that does not send the authority that is pinned is not believed")
  func pinNeedsTheAuthority() async throws {
    let house = try Household()
    let server = try house.identity(.server, hosts: Self.local)
    var material = try server.tlsMaterial()
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
        certificateChain: [try draft.signed(by: house.authority.key).der],
        privateKey: try key.pkcs8())
    }()
    let selfMade: TLSMaterial = try {
      let key = try PrivateKey.generate()
      var draft = try CertificateDraft(
        publicKey: try key.publicKey(), from: now - 60, until: now + 600)
      try draft.name(subject: "Apus authority of birds", issuer: nil)
      try draft.add(NID_ext_key_usage, "clientAuth")
      try draft.add(NID_subject_alt_name, "URI:apus://birds/operator/\(Household.deviceID)")
      return TLSMaterial(
        certificateChain: [try draft.signed(by: key).der], privateKey: try key.pkcs8())
    }()
    let cases: [(String, TLSMaterial)] = [
      ("another authority", try other.identity(.operator).tlsMaterial()),
      ("over", try house.identity(.operator, lifetime: 60, at: now - 120).tlsMaterial()),
      ("not begun", try house.identity(.operator, at: now + 7_200).tlsMaterial()),
      ("a server as a caller", try server.tlsMaterial()),
      ("nameless", nameless), ("self-made", selfMade),
    ]
    try await Self.withServer(server.tlsMaterial(), clientAuthorities: [authority]) {
      (port: Int) async throws -> Void in
      for (name, material) in cases {
        let result = try await Self.ask(port, .authorities([authority.der]), material)
        #expect((try? result.get()) == nil, "\(name): \(result)")
        if name != "nameless" { #expect(Self.isRefused(result), "\(name): \(result)") }
      }
      // And the server still serves.
      #expect(try await Self.ask(port, .authorities([authority.der]), nil) == .success("nobody"))
    }
  }
}
