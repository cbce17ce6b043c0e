// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Testing

@testable import ApusAggregator

/// Invitations that are made, wrong, used up and over.
@Suite("The invitations of a hub")
struct InvitationTests {
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
