// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Testing

@testable import ApusAggregator

@Suite("Enrolment")
struct EnrolmentTests {
  @Test("A device that has an invitation gets a number, a certificate and a way in")
  func joining() async throws {
    let hub = try await TestHub()
    let invitation = try await hub.invite(uses: 2, labels: ["site": "north"])
    #expect(invitation.authorityDigest == hub.hub.authority?.certificate.digest)
    for number in 0..<2 {
      let key = try PrivateKey.generate()
      let (reply, name) = try await hub.enroll(
        invitation, key: key, name: "device \(number)", labels: ["site": "south", "os": "linux"])
      #expect(reply.deviceNumber == UInt64(number) && reply.role == "device")
      #expect(reply.deviceId == name.id && name.role == .device && name.federation == "birds")
      #expect(reply.expiresMs == UInt64(name.expires) * 1_000)
      #expect(name.expires == hub.clock.now / 1_000 + 7 * 86_400)
      let certificates = try reply.certificates.map { der in try Certificate(der: der) }
      try CertificateChain.verify(
        certificates, against: [try Certificate(der: reply.authority)], for: .client,
        at: hub.clock.now / 1_000)
      #expect(try certificates.first?.publicKey == key.publicKey())
      _ = try await hub.channel(name).call(EdgeMethods.checkIn, .init(), timeout: nil)
    }
    let devices = try await hub.store.read { try $0.devices() }
    #expect(devices.map(\.number) == [0, 1] && devices.map(\.name) == ["device 0", "device 1"])
    // What the invitation says counts more than what the device says of itself.
    #expect(devices.allSatisfy { $0.labels == ["site": "north", "os": "linux"] })
    #expect(hub.changes.all.map(\.id) == devices.map(\.id))
    #expect(
      try await hub.auditActions() == [
        "operator.enrolled", "invitation.created", "device.enrolled", "certificate.issued",
        "device.enrolled", "certificate.issued",
      ])
  }

  @Test("An attempt that is repeated is the same device, and takes no other use")
  func repeatedAttempts() async throws {
    let hub = try await TestHub()
    let invitation = try await hub.invite()
    let (key, attempt) = (try PrivateKey.generate(), SecureRandom.attempt())
    let first = try await hub.enroll(invitation, key: key, attempt: attempt)
    let second = try await hub.enroll(invitation, key: key, attempt: attempt)
    #expect(first.reply.deviceId == second.reply.deviceId)
    #expect(first.reply.deviceNumber == second.reply.deviceNumber)
    #expect(try await hub.store.read { try $0.devices().count } == 1)
    #expect(hub.changes.all.count == 1)
  }

  @Test("Attempts at once with one use make one device")
  func attemptsAtOnce() async throws {
    let hub = try await TestHub()
    let invitation = try await hub.invite(uses: 3)
    let joined = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<12 {
        group.addTask { (try? await hub.enroll(invitation)) != nil }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(joined == 3)
    #expect(try await hub.store.read { try $0.devices().map(\.number) } == [0, 1, 2])
  }

  /// Why a token is refused, by the server's own log.
  @Test(
    "Requests that make no sense are refused before the token is looked at",
    arguments: [
      "name", "control", "labels", "label", "key", "request", "proof",
    ])
  func senselessRequests(what: String) async throws {
    let hub = try await TestHub()
    let invitation = try await hub.invite()
    var request = Proto.EnrollRequest()
    request.token = invitation.token.text
    request.signingRequest = try SigningRequest.make(for: .generate()).der
    request.name = "swift"
    request.idempotencyKey = SecureRandom.attempt()
    let good = request
    switch what {
    case "name": request.name = String(repeating: "n", count: 101)
    case "control": request.name = "a\u{1b}[2Jb"
    case "labels":
      request.labels = Dictionary(uniqueKeysWithValues: (0..<17).map { ("l\($0)", "v") })
    case "label": request.labels = ["": "x"]
    case "key": request.idempotencyKey = [1, 2, 3]
    case "request": request.signingRequest = [0x30, 0x00]
    default: request.signingRequest[request.signingRequest.count - 1] ^= 1
    }
    let bad = request
    let error = await status {
      _ = try await hub.channel().call(EdgeMethods.enroll, bad, timeout: nil)
    }
    #expect(error?.code == .invalidArgument)
    #expect(error?.message.contains(invitation.token.text) == false)
    // The invitation has still its use.
    _ = try await hub.channel().call(EdgeMethods.enroll, good, timeout: nil)
  }

  private func beforeRestart(
    _ path: String, _ clock: StandingClock
  ) async throws -> (PeerIdentity, PeerIdentity, Invitation, String) {
    let first = try await TestHub(at: path, clock: clock)
    let invitation = try await first.invite(uses: 3)
    let one = try await first.enroll(invitation).name
    let two = try await first.enroll(invitation).name
    var ref = Proto.DeviceRef()
    ref.device = two.id
    _ = try await first.operatorChannel.call(CoordinatorMethods.revokeDevice, ref, timeout: nil)
    await first.store.close()
    return (one, two, invitation, first.hub.federation)
  }

  /// The directory's lock goes with the last owner of the store, and calls that have ended may hold it a while.
  private func reopened(_ path: String, _ clock: StandingClock) async throws -> TestHub {
    let end = ContinuousClock.now + .seconds(10)
    while true {
      do { return try await TestHub(at: path, clock: clock) } catch let error as AggregatorError {
        guard error.code == .directoryInUse, ContinuousClock.now < end else { throw error }
        try await Task.sleep(for: .milliseconds(10))
      }
    }
  }

  @Test("What is durable is there after a restart: members, tokens, revocations")
  func restart() async throws {
    let (clock, place) = (StandingClock(), HubDirectoryTests.Place())
    let (one, two, invitation, federation) = try await beforeRestart(place.path, clock)
    let second = try await reopened(place.path, clock)
    #expect(second.hub.federation == federation)
    _ = try await second.channel(one).call(EdgeMethods.checkIn, .init(), timeout: nil)
    let error = await status {
      _ = try await second.channel(two).call(EdgeMethods.checkIn, .init(), timeout: nil)
    }
    #expect(error?.reason == "revoked")
    #expect(try await second.enroll(invitation).reply.deviceNumber == 2)
    #expect(await status { _ = try await second.enroll(invitation) } == EnrolmentService.refusal)
    // The operator of the machine is the same, and written down once.
    #expect(try await second.auditActions().count { $0 == "operator.enrolled" } == 1)
    await second.store.close()
  }

  @Test("A certificate is renewed for the same device, not for one that was revoked")
  func renewal() async throws {
    let hub = try await TestHub()
    let key = try PrivateKey.generate()
    let (_, name) = try await hub.enroll(try await hub.invite(), key: key)
    hub.clock.move(.seconds(5 * 86_400))
    var request = Proto.RenewCertificateRequest()
    request.signingRequest = try SigningRequest.make(for: key).der
    let renewal = request
    let reply = try await hub.channel(name).call(
      EdgeMethods.renewCertificate, renewal, timeout: nil)
    let renewed = try Certificate.identify(try #require(reply.certificates.first))
    #expect(renewed.id == name.id && renewed.expires == name.expires + 5 * 86_400)
    #expect(reply.deviceNumber == 0)
    // The old one holds until it ends, and not longer, over a connection that stays.
    let channel = hub.channel(name)
    _ = try await channel.call(EdgeMethods.checkIn, .init(), timeout: nil)
    hub.clock.move(.seconds(2 * 86_400))
    let over = await status {
      _ = try await channel.call(EdgeMethods.checkIn, .init(), timeout: nil)
    }
    #expect(over?.code == .unauthenticated && over?.reason == "certificate-over")
    _ = try await hub.channel(renewed).call(EdgeMethods.checkIn, .init(), timeout: nil)

    var ref = Proto.DeviceRef()
    ref.device = "0"
    _ = try await hub.operatorChannel.call(CoordinatorMethods.revokeDevice, ref, timeout: nil)
    let error = await status {
      _ = try await hub.channel(renewed).call(EdgeMethods.renewCertificate, renewal, timeout: nil)
    }
    #expect(error?.code == .permissionDenied && error?.reason == "revoked")
  }
}
