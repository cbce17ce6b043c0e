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
  private func lastReason(_ hub: TestHub) async throws -> String {
    let text = try await hub.auditText()
    return text.split(separator: "\n").last.map(String.init) ?? ""
  }

  @Test("Unknown, used-up, expired and stolen tokens are told the same, and the log knows why")
  func wrongTokens() async throws {
    let hub = try await TestHub()
    let invitation = try await hub.invite()
    let (key, attempt) = (try PrivateKey.generate(), SecureRandom.attempt())
    func refusal(_ invitation: Invitation, key: PrivateKey? = nil, attempt: [UInt8]? = nil) async
      -> RPCError?
    {
      await status {
        _ = try await hub.enroll(
          invitation, key: key, attempt: attempt ?? SecureRandom.attempt())
      }
    }
    var refusals: [RPCError?] = []

    var unknown = invitation
    unknown.token = try Token.make()
    refusals.append(await refusal(unknown))
    #expect(try await lastReason(hub).contains("unknown-token"))

    _ = try await hub.enroll(invitation, key: key, attempt: attempt)
    refusals.append(await refusal(invitation))
    #expect(try await lastReason(hub).contains("token-used-up"))

    // Somebody who has seen the invitation and the idempotency key has not the device's key.
    refusals.append(await refusal(invitation, attempt: attempt))
    #expect(try await lastReason(hub).contains("other-key-for-attempt"))

    let fresh = try await hub.invite()
    hub.clock.move(.seconds(3_600))
    refusals.append(await refusal(fresh))
    #expect(try await lastReason(hub).contains("token-over"))
    // The device that has joined with a token that is over does not join again with it.
    refusals.append(await refusal(invitation, key: key, attempt: attempt))

    #expect(Set(refusals) == [EnrolmentService.refusal])
    #expect(refusals.first??.code == .permissionDenied)
    #expect(try await hub.store.read { try $0.devices().count } == 1)
    #expect(hub.service.refusalCount == 5)

    var malformed = Proto.EnrollRequest()
    malformed.token = "letmein"
    malformed.signingRequest = try SigningRequest.make(for: key).der
    malformed.idempotencyKey = attempt
    let request = malformed
    let error = await status {
      _ = try await hub.channel().call(EdgeMethods.enroll, request, timeout: nil)
    }
    #expect(error == EnrolmentService.refusal)

    // No token is in the log or in the database, nor in what was answered.
    let log = try await hub.auditText()
    for token in [invitation.token, unknown.token, fresh.token] {
      #expect(!log.contains(token.text))
    }
    #expect(!log.contains("letmein"))
  }

  @Test("Wrong tokens are held back by address, and the log does not grow with them")
  func wrongTokensAreHeldBack() async throws {
    var limits = AccessLimits()
    limits.wrongToken = .init(burst: 3, perSecond: 0.1)
    limits.refusalEntry = .init(burst: 2, perSecond: 0.001)
    let hub = try await TestHub(limits: limits)
    let invitation = try await hub.invite(uses: 9)
    var unknown = invitation
    unknown.token = try Token.make()
    let wrong = unknown
    for _ in 0..<3 {
      #expect(await status { _ = try await hub.enroll(wrong) } == EnrolmentService.refusal)
    }
    let held = await status { _ = try await hub.enroll(wrong) }
    #expect(held?.code == .resourceExhausted && held?.retryAfter == .seconds(10))
    // A good one from the same address waits as well, and gets in when it is time.
    #expect(await status { _ = try await hub.enroll(invitation) }?.code == .resourceExhausted)
    hub.clock.move(.seconds(10))
    _ = try await hub.enroll(invitation)
    // Good tokens are not counted.
    for _ in 0..<5 { _ = try await hub.enroll(invitation) }
    #expect(try await hub.auditActions().count { $0 == "enrolment.refused" } == 2)
    #expect(hub.service.refusalCount == 3)
  }

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

  @Test("Operators and auditors are invited too, and have numbers of their own")
  func people() async throws {
    let hub = try await TestHub()
    let auditor = try await hub.enroll(try await hub.invite(role: .auditor))
    #expect(auditor.name.role == .auditor && auditor.reply.deviceNumber == 0)
    #expect(auditor.name.expires == hub.clock.now / 1_000 + 90 * 86_400)
    let device = try await hub.enroll(try await hub.invite())
    #expect(device.reply.deviceNumber == 0)
    let list = try await hub.channel(auditor.name).call(
      CoordinatorMethods.listDevices, .init(), timeout: nil)
    #expect(list.devices.map(\.role) == ["device", "auditor", "operator"])
    // An auditor reads and does nothing else.
    let error = await status {
      _ = try await hub.channel(auditor.name).call(
        CoordinatorMethods.createInvitation, .init(), timeout: nil)
    }
    #expect(error?.reason == "wrong-role")
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

  @Test("A revoked device cannot come back with its invitation")
  func revokedAttempt() async throws {
    let hub = try await TestHub()
    let invitation = try await hub.invite()
    let (key, attempt) = (try PrivateKey.generate(), SecureRandom.attempt())
    let (reply, _) = try await hub.enroll(invitation, key: key, attempt: attempt)
    var ref = Proto.DeviceRef()
    ref.device = reply.deviceId
    _ = try await hub.operatorChannel.call(CoordinatorMethods.revokeDevice, ref, timeout: nil)
    let error = await status {
      _ = try await hub.enroll(invitation, key: key, attempt: attempt)
    }
    #expect(error == EnrolmentService.refusal)
  }

  @Test("Devices are found by id, number or name, and never guessed")
  func references() async throws {
    let hub = try await TestHub()
    let invitation = try await hub.invite(uses: 3)
    let one = try await hub.enroll(invitation, name: "kitchen").reply
    let two = try await hub.enroll(invitation, name: "hall").reply
    _ = try await hub.enroll(invitation, name: "hall")
    func find(_ text: String) async throws -> String {
      var ref = Proto.DeviceRef()
      ref.device = text
      return try await hub.operatorChannel.call(CoordinatorMethods.getDevice, ref, timeout: nil)
        .deviceId
    }
    #expect(try await find(one.deviceId) == one.deviceId)
    #expect(try await find("1") == two.deviceId)
    #expect(try await find("kitchen") == one.deviceId)
    #expect(await status { _ = try await find("hall") }?.code == .failedPrecondition)
    #expect(await status { _ = try await find("cellar") }?.code == .notFound)
    #expect(await status { _ = try await find("' OR 1=1 --") }?.code == .notFound)
    #expect(await status { _ = try await find("") }?.code == .notFound)
  }

  @Test("Disabling, enabling and revoking are told to the engine and the log, once each")
  func changes() async throws {
    let hub = try await TestHub()
    let (reply, name) = try await hub.enroll(try await hub.invite())
    func set(_ isEnabled: Bool) async throws -> Proto.DeviceInfo {
      var request = Proto.SetDeviceEnabledRequest()
      request.device = reply.deviceId
      request.enabled = isEnabled
      return try await hub.operatorChannel.call(
        CoordinatorMethods.setDeviceEnabled, request, timeout: nil)
    }
    let device = hub.channel(name)
    #expect(try await set(false).enabled == false)
    #expect(try await set(false).enabled == false)
    let error = await status {
      _ = try await device.call(EdgeMethods.checkIn, .init(), timeout: nil)
    }
    #expect(error?.reason == "device-disabled")
    #expect(try await set(true).enabled)
    _ = try await device.call(EdgeMethods.checkIn, .init(), timeout: nil)
    var ref = Proto.DeviceRef()
    ref.device = reply.deviceId
    for _ in 0..<2 {
      let info = try await hub.operatorChannel.call(
        CoordinatorMethods.revokeDevice, ref, timeout: nil)
      #expect(info.revoked)
    }
    #expect(
      hub.changes.all.map { [$0.isEnabled, $0.isRevoked] } == [
        [true, false], [false, false], [true, false], [true, true],
      ])
    let actions = try await hub.auditActions().suffix(3)
    #expect(Array(actions) == ["device.disabled", "device.enabled", "device.revoked"])
    #expect(try await hub.store.read { try $0.verifiedAuditLog().isIntact })
  }

  @Test("Nobody revokes themselves, so that somebody is left")
  func oneself() async throws {
    let hub = try await TestHub()
    var ref = Proto.DeviceRef()
    ref.device = try #require(hub.hub.localOperator).name.id
    let own = ref
    let error = await status {
      _ = try await hub.operatorChannel.call(CoordinatorMethods.revokeDevice, own, timeout: nil)
    }
    #expect(error?.code == .failedPrecondition && error?.reason == "oneself")
    // Another operator may.
    let other = try await hub.enroll(try await hub.invite(role: .operator)).name
    let info = try await hub.channel(other).call(
      CoordinatorMethods.revokeDevice, own, timeout: nil)
    #expect(info.revoked)
    let gone = await status { _ = try await hub.invite() }
    #expect(gone?.reason == "revoked")
  }

  @Test(
    "Invitations that make no sense are not made",
    arguments: [
      (0, 366 * 86_400_000, "device"), (1_000_001, 1_000, "device"), (1, 1_000, "server"),
      (1, 1_000, "admin"), (1, 1_000, "Operator"),
    ] as [(UInt32, UInt64, String)])
  func senselessInvitations(uses: UInt32, lifetime: UInt64, role: String) async throws {
    let hub = try await TestHub()
    var request = Proto.CreateInvitationRequest()
    request.uses = uses
    request.lifetimeMs = lifetime
    request.role = role
    let bad = request
    let error = await status {
      _ = try await hub.operatorChannel.call(
        CoordinatorMethods.createInvitation, bad, timeout: nil)
    }
    #expect(error?.code == .invalidArgument)
  }

  @Test("Where nothing is said an invitation is for one device and one day")
  func defaultInvitation() async throws {
    let hub = try await TestHub()
    let reply = try await hub.operatorChannel.call(
      CoordinatorMethods.createInvitation, .init(), timeout: nil)
    #expect(reply.uses == 1 && reply.role == "device")
    #expect(reply.expiresMs == UInt64(hub.clock.now) + 86_400_000)
    #expect(try Invitation(url: reply.url).url == reply.url)
  }

  @Test("Tokens that are over for a month are forgotten, the devices they made are not")
  func oldTokens() async throws {
    let hub = try await TestHub()
    let name = try await hub.enroll(try await hub.invite()).name
    hub.clock.move(.seconds(31 * 86_400))
    try await hub.service.start(localOperator: hub.hub.localOperator)
    let count: Int? = try await hub.store.read { try $0.value("SELECT count(*) FROM tokens") }
    #expect(count == 0)
    #expect(hub.book[name.id] != nil)
  }
}
