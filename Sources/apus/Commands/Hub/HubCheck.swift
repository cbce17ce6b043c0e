// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusNumerics
internal import ApusSimulation
internal import ApusTransport
internal import ApusWire
internal import Foundation

/// What can be wrong between here and a hub, and with the hub.
struct HubCheck {
  private(set) var findings: [Finding] = []
  private(set) var isUnreachable = false
  /// What it says of itself, to those who may read that.
  private(set) var description: HubDescription?
  private(set) var auditEntries: UInt64?

  mutating func note(_ finding: Finding, isUnreachable: Bool = false) {
    findings.append(finding)
    if isUnreachable { self.isUnreachable = true }
  }

  nonisolated(nonsending) mutating func look(at profile: HubProfile) async {
    note(identity(of: profile))
    do throws(CoordinationError) {
      var client = try profile.client()
      client.timeout = .seconds(10)
      client.patience = .seconds(2)
      await ask(client, as: profile.identity.name.role)
      await client.close()
    } catch { unreachable(error, at: profile) }
  }

  private func identity(of profile: HubProfile) -> Finding {
    let name = profile.identity.name
    let left = Double(name.expires) - Date().timeIntervalSince1970
    let message =
      "\(name.role.rawValue) of \(name.federation), until \(Moment.text(UInt64(max(0, name.expires)) * 1000) ?? "–")"
    if left <= 0 {
      let mend =
        name.role == .device
        ? "join again with a new invitation"
        : "ask an operator for 'apus invite --role \(name.role.rawValue)'"
      return Finding("identity", .bad, "\(message): it is over", mend: mend)
    }
    if name.role != .device, left < 7 * 86_400 {
      return Finding(
        "identity", .remark, message,
        mend: "it ends in \(Cell.duration(left)); 'apus serve' renews its operator's")
    }
    return .good("identity", message)
  }

  private nonisolated(nonsending) mutating func ask(_ client: CoordinatorClient, as role: Role)
    async
  {
    let before = Date()
    do throws(CoordinationError) {
      let hello = try await client.hello()
      note(.good("hub", "\(client.address) answers, epoch \(hello.serverEpoch)"))
      note(clock(hello, asked: before))
      guard role == .operator || role == .auditor else { return }
      let status = HubDescription(try await client.status(), at: client.address)
      description = status
      look(at: status)
      let audit = try await client.verifyAuditChain()
      auditEntries = audit.entries
      note(
        audit.intact
          ? .good("audit log", "\(Cell.count(audit.entries)) entries, unbroken")
          : Finding(
            "audit log", .bad,
            "entry \(audit.firstBroken) of \(audit.entries) does not fit those before it",
            mend:
              "somebody changed the log: compare it with a backup before you trust what came after")
      )
    } catch { unreachable(error, at: nil, address: client.address) }
  }

  private mutating func unreachable(
    _ error: CoordinationError, at profile: HubProfile?, address: String = ""
  ) {
    let mend: String? =
      switch error.code {
      case .unreachable:
        "is 'apus serve' running there, is the port open in the firewall, is the address right?"
      case .refused:
        "was this identity revoked, is its certificate over, or was the hub made anew? A new invitation makes a "
          + "new identity"
      default: nil
      }
    note(Finding("hub", .bad, error.message, mend: mend), isUnreachable: error.isUnreachable)
  }

  private func clock(_ hello: Proto.HelloReply, asked before: Date) -> Finding {
    let now = Date()
    let middle = (before.timeIntervalSince1970 + now.timeIntervalSince1970) / 2
    let difference = Double(hello.serverTimeMs) / 1000 - middle
    let message = "the hub's clock is \(Cell.fixed(difference, digits: 1)) s from this one"
    if abs(difference) > 86_400 {
      return Finding(
        "clocks", .bad, message, mend: "set both: certificates are not valid before their time")
    }
    if abs(difference) > 60 {
      return Finding(
        "clocks", .remark, message, mend: "nothing depends on it but certificates' ends; set both")
    }
    return .good("clocks", message)
  }

  private mutating func look(at hub: HubDescription) {
    if hub.version != ApusVersion.current {
      note(
        Finding(
          "versions", .remark, "the hub is apus \(hub.version), this is \(ApusVersion.current)",
          mend: "version 1 of the protocol is the same; update when it suits"))
    }
    let state =
      "\(hub.state) for \(Cell.duration(hub.uptimeSeconds)), \(Cell.count(hub.enrolledDevices)) devices "
      + "enrolled, \(Cell.count(hub.waitingDevices)) wait, \(Cell.count(hub.leases)) at work"
    note(hub.state == "serving" ? .good("state", state) : Finding("state", .remark, state))
    if let quota = hub.blobQuota {
      let message =
        "\(Cell.bytes(hub.blobBytes)) of \(Cell.bytes(quota)) taken by models and updates"
      let share = Double(hub.blobBytes) / Double(quota)
      note(
        share < 0.8
          ? .good("space", message)
          : Finding(
            "space", share < 0.95 ? .remark : .bad, message,
            mend: "make room and give 'apus serve' a larger --quota"))
    }
    if let end = hub.certificateExpires {
      note(.good("certificate", "the hub's is good until \(end)"))
    }
  }
}
