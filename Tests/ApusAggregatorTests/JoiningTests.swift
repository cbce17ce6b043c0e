// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusEdge
import ApusTransport
import ApusWire
import Foundation
import Synchronization
import Testing

@testable import ApusAggregator

/// Devices that join a hub as they will: over TLS on a port of this machine.
@Suite("Joining over TLS")
struct JoiningTests {
  /// A hub that listens.
  final class Served: Sendable {
    let hub: TestHub
    let server: GRPCServer
    let port: Int

    init(clock: StandingClock = StandingClock(TestClock.wall())) async throws {
      hub = try await TestHub(clock: clock)
      server = try GRPCServer(
        ServerConfiguration(
          host: "127.0.0.1", port: 0, material: hub.hub.server.tlsMaterial(),
          clientAuthorities: hub.hub.clientAuthorities.map(\.der)), handler: hub.control,
        identify: Certificate.identify)
      port = try await server.start()
      hub.service.setAddress(host: try HostName.named("127.0.0.1"), port: port)
    }

    func end() async {
      await server.stop()
      await hub.store.close()
    }
  }

  enum TestClock {
    static func wall() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }
  }

  private static func withHub(_ body: (Served) async throws -> Void) async throws {
    let served = try await Served()
    do { try await body(served) } catch {
      await served.end()
      throw error
    }
    await served.end()
  }

  private static func problem(_ body: () async throws -> Void) async -> EdgeError? {
    do {
      try await body()
      return nil
    } catch { return error as? EdgeError ?? EdgeError(EdgeError.Code(rawValue: "?"), "\(error)") }
  }

  @Test("Three steps: an invitation, joining, and calls that show who one is")
  func joinAndCall() async throws {
    try await Self.withHub { (served: Served) async throws -> Void in
      let place = HubDirectoryTests.Place()
      let invitation = try await served.hub.invite(labels: ["site": "north"])
      let device = try await DeviceIdentity.join(
        invitation, name: "kitchen", labels: ["os": "linux"], in: place.path)
      #expect(device.number == 0 && device.role == .device)
      #expect("\(device.address)" == "127.0.0.1:\(served.port)")
      #expect(
        try place.files() == [
          "address", "authority.pem", "certificate.pem", "joining", "key.pem", "number",
        ])
      for file in try place.files() { #expect(try place.permissions(of: file) == 0o600, "\(file)") }
      // The token itself is kept nowhere on the device.
      for file in try place.files() {
        let text = String(decoding: try place.bytes(of: file), as: UTF8.self)
        #expect(!text.contains(invitation.token.text))
      }
      let loaded = try DeviceIdentity.load(from: place.path)
      #expect(loaded.identity.name == device.identity.name && loaded.number == 0)
      let channel = try loaded.channel()
      _ = try await channel.call(EdgeMethods.checkIn, .init(), timeout: .seconds(10))
      await channel.close()
    }
  }

  @Test("Without a certificate only Health, Hello and Enroll are there")
  func anonymousCallers() async throws {
    try await Self.withHub { (served: Served) async throws -> Void in
      let pin = PeerTrust.pinnedAuthority(
        sha256: try #require(served.hub.hub.authority).certificate.digest)
      let channel = try GRPCChannel(
        host: "127.0.0.1", port: served.port, trust: pin, identity: nil)
      _ = try await channel.call(EdgeMethods.hello, .init(), timeout: .seconds(10))
      let paths =
        EdgeMethods.paths + BlobsMethods.paths + CoordinatorMethods.paths + HealthMethods.paths
      var reachable: Set<String> = []
      for path in paths {
        let error = await status {
          let call = try await channel.open(path, metadata: [], timeout: .seconds(10))
          try await call.finishSending()
          while try await call.receive() != nil {}
        }
        if error?.code != .unauthenticated { reachable.insert(path) }
      }
      #expect(
        reachable == [
          EdgeMethods.hello.path, EdgeMethods.enroll.path, HealthMethods.check.path,
          HealthMethods.watch.path,
        ])
      await channel.close()
    }
  }

  @Test("A revocation holds for the next call over a connection that lives")
  func revocationOverALiveConnection() async throws {
    try await Self.withHub { (served: Served) async throws -> Void in
      let place = HubDirectoryTests.Place()
      let device = try await DeviceIdentity.join(
        try await served.hub.invite(), name: "d", in: place.path)
      let person = try #require(served.hub.hub.localOperator)
      let people = try GRPCChannel(
        host: "127.0.0.1", port: served.port,
        trust: .authorities(person.authorities.map(\.der)), identity: person.tlsMaterial())
      let channel = try device.channel()
      _ = try await channel.call(EdgeMethods.checkIn, .init(), timeout: .seconds(10))
      var ref = Proto.DeviceRef()
      ref.device = device.identity.name.id
      _ = try await people.call(CoordinatorMethods.revokeDevice, ref, timeout: .seconds(10))
      let connections = served.server.statistics
      let error = await status {
        _ = try await channel.call(EdgeMethods.checkIn, .init(), timeout: .seconds(10))
      }
      #expect(error?.code == .permissionDenied && error?.reason == "revoked")
      #expect(served.server.statistics.acceptedConnections == connections.acceptedConnections)
      // A new connection does not help, and the device is told what happened.
      let words = await Self.problem {
        _ = try await device.renewIfDue(over: channel, at: device.identity.certificate.notAfter)
      }
      #expect(words?.code == .refused)
      #expect(words?.message.contains("revoked this device") == true)
      await channel.close()
      await people.close()
    }
  }

  @Test("A device of another federation is not let in, even with the same name and number")
  func otherFederations() async throws {
    try await Self.withHub { (served: Served) async throws -> Void in
      try await Self.withHub { (other: Served) async throws -> Void in
        let place = HubDirectoryTests.Place()
        let stranger = try await DeviceIdentity.join(
          try await other.hub.invite(), name: "d", in: place.path)
        let channel = try GRPCChannel(
          host: "127.0.0.1", port: served.port,
          trust: .authorities(served.hub.hub.clientAuthorities.map(\.der)),
          identity: stranger.identity.tlsMaterial())
        let error = await status {
          _ = try await channel.call(EdgeMethods.hello, .init(), timeout: .seconds(10))
        }
        #expect(error?.code == .unauthenticated, "\(String(describing: error))")
        await channel.close()
      }
    }
  }

  @Test("The reason of a refusal is said in words on the device")
  func refusalsInWords() async throws {
    try await Self.withHub { (served: Served) async throws -> Void in
      let place = HubDirectoryTests.Place()
      let invitation = try await served.hub.invite()
      // A server that is not the invitation's.
      var foreign = invitation
      foreign.authorityDigest = [UInt8](repeating: 7, count: 32)
      let stranger = await Self.problem {
        _ = try await DeviceIdentity.join(foreign, name: "d", in: place.path, patience: .zero)
      }
      #expect(stranger?.code == .refused)
      #expect(stranger?.message.contains("not the one that the invitation is from") == true)
      #expect(served.hub.service.refusalCount == 0, "a token was sent to a foreign server")
      // A token that is used up.
      let first = HubDirectoryTests.Place()
      _ = try await DeviceIdentity.join(invitation, name: "d", in: first.path)
      let usedUp = await Self.problem {
        _ = try await DeviceIdentity.join(invitation, name: "d", in: place.path)
      }
      #expect(usedUp?.code == .refused)
      #expect(usedUp?.message.contains("unknown, used up or over. Ask an operator") == true)
      // Nobody there.
      let nobody = try GRPCServerPort.unused()
      var gone = invitation
      gone.port = nobody
      let unreachable = await Self.problem {
        _ = try await DeviceIdentity.join(gone, name: "d", in: place.path, patience: .zero)
      }
      #expect(unreachable?.code == .unreachable)
      #expect(unreachable?.message.contains("127.0.0.1:\(nobody)") == true)
      for error in [stranger, usedUp, unreachable] {
        #expect(error?.message.contains(invitation.token.text) == false)
      }
      #expect(Self.isNotJoined(place.path))
      // After all that the directory is good for a good invitation.
      let device = try await DeviceIdentity.join(
        try await served.hub.invite(), name: "d", in: place.path)
      #expect(device.number == 1)
    }
  }

  private static func isNotJoined(_ path: String) -> Bool {
    do throws(EdgeError) {
      _ = try DeviceIdentity.load(from: path)
      return false
    } catch { return error.code == .notJoined }
  }

  /// A way that breaks before or after the server has handled a call.
  private final class Breaking: Channel {
    private let channel: any Channel
    private let path: String
    private let isHandled: Bool

    init(_ channel: any Channel, at path: String, handled isHandled: Bool) {
      self.channel = channel
      self.path = path
      self.isHandled = isHandled
    }

    func open(
      _ path: String, metadata: Metadata, timeout: Duration?
    ) async throws(RPCError) -> any ClientCall {
      guard path == self.path else {
        return try await channel.open(path, metadata: metadata, timeout: timeout)
      }
      guard isHandled else { throw RPCError(.unavailable, "The way broke.") }
      return BreakingCall(try await channel.open(path, metadata: metadata, timeout: timeout))
    }

    func close() async { await channel.close() }
  }

  /// The answer comes, and is lost.
  private final class BreakingCall: ClientCall {
    private let call: any ClientCall

    init(_ call: any ClientCall) { self.call = call }

    func send(_ message: [UInt8]) async throws(RPCError) { try await call.send(message) }
    func finishSending() async throws(RPCError) { try await call.finishSending() }
    func receive() async throws(RPCError) -> [UInt8]? {
      _ = try await call.receive()
      throw RPCError(.unavailable, "The way broke.")
    }
    func cancel() { call.cancel() }
  }

  @Test("However joining is interrupted, the same invitation gives the same device")
  func interruptions() async throws {
    try await Self.withHub { (served: Served) async throws -> Void in
      let place = HubDirectoryTests.Place()
      let invitation = try await served.hub.invite()
      for isHandled in [false, true, true] {
        let error = await Self.problem {
          _ = try await DeviceIdentity.join(
            invitation, name: "d", in: place.path, patience: .zero,
            connect: { address, trust, material in
              Breaking(
                try DeviceIdentity.connect(address, trust, material), at: EdgeMethods.enroll.path,
                handled: isHandled)
            })
        }
        #expect(error?.code == .unreachable)
      }
      #expect(Self.isNotJoined(place.path))
      let device = try await DeviceIdentity.join(invitation, name: "d", in: place.path)
      #expect(device.number == 0)
      #expect(try await served.hub.store.read { try $0.devices().count } == 1)

      // A crash between any two files: what is written last is missing, then the one before it, and so on.
      for missing in [
        ["certificate.pem"], ["certificate.pem", "authority.pem"],
        ["certificate.pem", "authority.pem", "number"],
        ["certificate.pem", "authority.pem", "number", "address"],
      ] {
        for file in missing { try FileManager.default.removeItem(atPath: "\(place.path)/\(file)") }
        #expect(Self.isNotJoined(place.path))
        let again = try await DeviceIdentity.join(invitation, name: "d", in: place.path)
        #expect(again.identity.name.id == device.identity.name.id && again.number == 0)
        #expect(try again.identity.key.publicKey() == device.identity.key.publicKey())
      }
      #expect(try await served.hub.store.read { try $0.devices().count } == 1)

      // Joined is joined: the same words again do nothing, not even a call.
      let before = served.server.statistics.acceptedConnections
      let same = try await DeviceIdentity.join(invitation, name: "d", in: place.path)
      #expect(same.identity.name.id == device.identity.name.id)
      #expect(served.server.statistics.acceptedConnections == before)
      // Another invitation is for another device, which needs another directory.
      let other = try await served.hub.invite()
      let taken = await Self.problem {
        _ = try await DeviceIdentity.join(other, name: "d", in: place.path)
      }
      #expect(taken?.code == .inUse)
      #expect(taken?.message.contains(device.identity.name.id) == true)
    }
  }

  @Test("A certificate is renewed when it is time, on disk and for the next connection")
  func renewal() async throws {
    try await Self.withHub { (served: Served) async throws -> Void in
      let place = HubDirectoryTests.Place()
      let device = try await DeviceIdentity.join(
        try await served.hub.invite(), name: "d", in: place.path)
      let channel = try device.channel()
      let due = device.identity.certificate.renewal()
      #expect(try await device.renewIfDue(over: channel, at: due - 1) == nil)
      served.hub.clock.move(.seconds(60))
      let renewed = try #require(try await device.renewIfDue(over: channel, at: due))
      await channel.close()
      #expect(renewed.identity.name.id == device.identity.name.id)
      #expect(renewed.identity.name.expires > device.identity.name.expires)
      #expect(renewed.identity.name.fingerprint != device.identity.name.fingerprint)
      #expect(
        try DeviceIdentity.load(from: place.path).identity.name == renewed.identity.name)
      let next = try renewed.channel()
      _ = try await next.call(EdgeMethods.checkIn, .init(), timeout: .seconds(10))
      await next.close()
    }
  }

  @Test("The server shows its renewed certificate to new connections, and devices believe it")
  func serverRenewal() async throws {
    try await Self.withHub { (served: Served) async throws -> Void in
      let place = HubDirectoryTests.Place()
      let device = try await DeviceIdentity.join(
        try await served.hub.invite(), name: "d", in: place.path)
      let hub = served.hub.hub
      let renewed = try #require(try hub.renewed(at: hub.server.certificate.renewal()))
      // Begun in the future as this machine's clock sees it, so it shows which one is served.
      try await served.server.reload(renewed.server.tlsMaterial())
      let channel = try device.channel()
      let error = await status {
        _ = try await channel.call(EdgeMethods.checkIn, .init(), timeout: .seconds(10))
      }
      #expect(error?.code == .unauthenticated)
      await channel.close()
      try await served.server.reload(hub.server.tlsMaterial())
      let next = try device.channel()
      _ = try await next.call(EdgeMethods.checkIn, .init(), timeout: .seconds(10))
      await next.close()
    }
  }
}

/// A port that nobody listens on.
enum GRPCServerPort {
  static func unused() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> Int? in
        guard bind(descriptor, pointer, length) == 0, getsockname(descriptor, pointer, &length) == 0
        else { return nil }
        return 0
      }
    }
    guard port != nil else { throw HostName.NoHost() }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
