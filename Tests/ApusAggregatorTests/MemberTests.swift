// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Testing

@testable import ApusAggregator

/// Who is in a federation: found, disabled, revoked.
@Suite("The members of a federation")
struct MemberTests {
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
}
