// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusTransport
import ApusWire
import Foundation
import Testing

@Suite("Whom the two sides trust")
struct TrustTests {
  func digest(_ bytes: [UInt8]) -> [UInt8] {
    var hash = SHA256()
    bytes.withUnsafeBytes { hash.update($0) }
    return hash.finalize()
  }

  func error(of channel: GRPCChannel) async -> RPCError? {
    await #expect(throws: RPCError.self) { try await channel.unary("/test.Echo/Who", [1]) }
  }

  @Test("A client is known by its certificate, and nobody without one")
  func identity() async throws {
    let server = try await TestServer()
    let id = String(repeating: "a7", count: 16)
    let known = try server.channel(identity: server.authority.device(id))
    let unknown = try server.channel()
    #expect(try await known.unary("/test.Echo/Who", [1]) == Array(id.utf8))
    #expect(try await unknown.unary("/test.Echo/Who", [1]) == Array("nobody".utf8))
    await known.close()
    await unknown.close()
    await server.server.stop()
  }

  @Test("A pinned authority is taken by its digest, and no other")
  func pin() async throws {
    let server = try await TestServer()
    let foreign = try TestAuthority.foreign.get()
    let right = try server.channel(
      trust: .pinnedAuthority(sha256: digest(server.authority.certificate)))
    #expect(try await right.unary("/test.Echo/Who", [1]) == Array("nobody".utf8))
    let wrong = try server.channel(trust: .pinnedAuthority(sha256: digest(foreign.certificate)))
    #expect(await error(of: wrong)?.code == .unauthenticated)
    // The digest of the server's own certificate is not that of an authority.
    let leaf = try server.authority.server()
    let other = try await TestServer { $0.material = leaf }
    let pinned = try other.channel(
      trust: .pinnedAuthority(sha256: digest(leaf.certificateChain[0])))
    #expect(await error(of: pinned)?.code == .unauthenticated)
    for channel in [right, wrong, pinned] { await channel.close() }
    await server.server.stop()
    await other.server.stop()
  }

  @Test("A server of another authority, or for another host, is refused")
  func server() async throws {
    let foreign = try TestAuthority.foreign.get()
    let server = try await TestServer()
    let stranger = try server.channel(trust: .authorities([foreign.certificate]))
    let refusal = await error(of: stranger)
    #expect(refusal?.code == .unauthenticated)
    #expect(refusal?.message.contains("certificate") == true)
    let elsewhere = try await TestServer {
      $0.material = try! TestAuthority.shared.get().issue(
        "IP:127.0.0.2,DNS:example.org", purpose: "serverAuth")
    }
    for trust in [
      PeerTrust.authorities([server.authority.certificate]),
      .pinnedAuthority(sha256: digest(server.authority.certificate)),
    ] {
      let channel = try elsewhere.channel(trust: trust)
      #expect(await error(of: channel)?.code == .unauthenticated)
      await channel.close()
    }
    // A client's certificate makes no server.
    let wrongPurpose = try await TestServer {
      $0.material = try! TestAuthority.shared.get().issue("IP:127.0.0.1", purpose: "clientAuth")
    }
    let channel = try wrongPurpose.channel()
    #expect(await error(of: channel)?.code == .unauthenticated)
    await channel.close()
    await stranger.close()
    for one in [server, elsewhere, wrongPurpose] { await one.server.stop() }
  }

  @Test(
    "Client certificates that are foreign, over, for servers or nobody's are refused with a reason")
  func client() async throws {
    let foreign = try TestAuthority.foreign.get()
    let server = try await TestServer()
    let authority = server.authority
    let materials = [
      try foreign.device(),
      try authority.issue(
        "URI:apus://test/device/\(String(repeating: "1", count: 32))", purpose: "serverAuth"),
      try authority.issue("DNS:nobody.example", purpose: "clientAuth"),
    ]
    for material in materials {
      let channel = try server.channel(identity: material)
      let refusal = await error(of: channel)
      #expect(refusal?.code == .unauthenticated, "\(refusal?.message ?? "")")
      await channel.close()
    }
    #expect(await eventually { server.server.statistics.connections == 0 })
    #expect(server.server.statistics.startedCalls == 0)
    await server.server.stop()
  }

  @Test("New certificates are shown to connections that come after they were loaded")
  func reload() async throws {
    let server = try await TestServer()
    let foreign = try TestAuthority.foreign.get()
    let old = try server.channel()
    #expect(try await old.unary("/test.Echo/Who", [1]) == Array("nobody".utf8))
    try await server.server.reload(foreign.server())
    #expect(try await old.unary("/test.Echo/Who", [1]) == Array("nobody".utf8))
    let new = try server.channel(trust: .authorities([foreign.certificate]))
    #expect(try await new.unary("/test.Echo/Who", [1]) == Array("nobody".utf8))
    let late = try server.channel()
    #expect(await error(of: late)?.code == .unauthenticated)
    for channel in [old, new, late] { await channel.close() }
    await server.server.stop()
  }

  @Test(
    "A key that does not belong to its certificate, and bytes that are none, are refused with a reason"
  )
  func material() async throws {
    let authority = try TestAuthority.shared.get()
    var mixed = try authority.server()
    mixed.key = try authority.server().key
    for material in [mixed, TLSMaterial(certificateChain: [[1, 2]], key: mixed.key)] {
      let error = #expect(throws: TransportError.self) {
        try GRPCServer(
          ServerConfiguration(
            host: "127.0.0.1", port: 0, material: material, clientAuthorities: []),
          handler: EchoHandler()
        ) { _ in throw RPCError(.unauthenticated, "nobody") }
      }
      #expect(error?.code == .certificate)
    }
  }

  @Test(
    "TLS 1.2 is refused",
    .enabled(if: Program.find("openssl") != nil, "openssl is not installed"))
  func oldTLS() async throws {
    let server = try await TestServer()
    let output = try await Program(
      "openssl", ["s_client", "-connect", "127.0.0.1:\(server.port)", "-tls1_2", "-alpn", "h2"]
    ).runInBackground()
    #expect(output.status != 0)
    #expect(output.text.contains("alert protocol version"), "\(output.text)")
    await server.server.stop()
  }
}
