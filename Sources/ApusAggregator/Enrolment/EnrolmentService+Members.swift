// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusTransport
package import ApusWire

extension EnrolmentService {
  private static let longestInvitation: UInt64 = 365 * 86_400_000
  private static let mostUses: UInt32 = 1_000_000

  func registerMemberCalls(on router: inout CallRouter) {
    router.register(CoordinatorMethods.createInvitation) {
      [self] (request, head) async throws(RPCError) in
      try await createInvitation(request, by: try head.member())
    }
    router.register(CoordinatorMethods.listDevices) { [self] (_, _) async throws(RPCError) in
      let members = try await stored { try $0.members() }
      var reply = Proto.ListDevicesReply()
      for member in members { reply.devices.append(await info(of: member)) }
      return reply
    }
    router.register(CoordinatorMethods.getDevice) { [self] (request, _) async throws(RPCError) in
      await info(of: try await stored { try $0.member(request.device) })
    }
    router.register(CoordinatorMethods.setDeviceEnabled) {
      [self] (request, head) async throws(RPCError) in
      let person = try head.member()
      return await info(of: try await setEnabled(request.enabled, request.device, by: person))
    }
    router.register(CoordinatorMethods.revokeDevice) {
      [self] (request, head) async throws(RPCError) in
      await info(of: try await revoke(request.device, by: try head.member()))
    }
  }

  // MARK: Invitations

  private func createInvitation(
    _ request: Proto.CreateInvitationRequest, by person: PeerIdentity
  ) async throws(RPCError) -> Proto.Invitation {
    let role: Role?
    switch request.role {
    case "": role = .device
    case Role.device.rawValue, Role.operator.rawValue, Role.auditor.rawValue:
      role = Role(rawValue: request.role)
    default: role = nil
    }
    guard let role else {
      throw RPCError(
        .invalidArgument, "A role is device, operator or auditor.", reason: "bad-role")
    }
    return try await createInvitation(
      uses: request.uses == 0 ? 1 : request.uses,
      lifetime: request.lifetimeMs == 0 ? 86_400_000 : request.lifetimeMs, role: role,
      labels: request.labels, by: person.actor)
  }

  /// Makes an invitation; its token is in the answer and nowhere else.
  ///
  /// - Parameters:
  ///   - uses: 1...1,000,000.
  ///   - lifetime: milliseconds, at most 365 days.
  ///   - role: of all who join with it; not server.
  ///   - labels: of all who join with it.
  ///   - actor: for the audit log.
  /// - Returns: the invitation, durable.
  /// - Throws: `invalidArgument`; `failedPrecondition` with an organization's certificates, or before
  ///   ``setAddress(host:port:)``.
  package func createInvitation(
    uses: UInt32 = 1, lifetime: UInt64 = 86_400_000, role: Role = .device,
    labels: [String: String] = [:], by actor: String
  ) async throws(RPCError) -> Proto.Invitation {
    _ = try signer()
    guard (1...Self.mostUses).contains(uses) else {
      throw RPCError(
        .invalidArgument, "An invitation has 1 to \(Self.mostUses) uses.", reason: "bad-uses")
    }
    guard (1...Self.longestInvitation).contains(lifetime) else {
      throw RPCError(
        .invalidArgument, "An invitation lives at most 365 days.", reason: "bad-lifetime")
    }
    guard role != .server else {
      throw RPCError(.invalidArgument, "Nobody is invited as a server.", reason: "bad-role")
    }
    try EnrolmentRules.check(labels: labels)
    guard let address else {
      throw RPCError(
        .failedPrecondition, "The aggregator does not know yet where it is reached.",
        reason: "no-address")
    }
    let token: Token
    do throws(TransportError) { token = try Token.make() } catch {
      throw RPCError(.internal, "No token could be drawn.", reason: error.code.rawValue)
    }
    let digest = token.digest
    let expires = try await stored { transaction in
      let record = TokenRecord(
        digest: digest, role: role, labels: labels, usesLeft: uses, created: transaction.time,
        expires: transaction.time + Int64(lifetime))
      try transaction.add(token: record)
      try transaction.audit(
        actor: actor, action: "invitation.created", subject: record.mark,
        detail: AuditDetail.json([
          "role": role.rawValue, "uses": "\(uses)", "expires_ms": "\(record.expires)",
          "labels": AuditDetail.text(of: labels),
        ]))
      return record.expires
    }
    var invitation = Proto.Invitation()
    invitation.url =
      Invitation(
        host: address.host, port: address.port, token: token, authorityDigest: authorityDigest
      ).url
    invitation.expiresMs = UInt64(expires)
    invitation.uses = uses
    invitation.role = role.rawValue
    return invitation
  }

  // MARK: Members

  private func setEnabled(
    _ isEnabled: Bool, _ reference: String, by person: PeerIdentity
  ) async throws(RPCError) -> DeviceRecord {
    let (record, isChanged) = try await stored { transaction in
      var record = try transaction.member(reference)
      try Self.refuseOneself(record, person)
      guard record.isEnabled != isEnabled else { return (record, false) }
      record.isEnabled = isEnabled
      try transaction.update(member: record)
      try transaction.audit(
        actor: person.actor,
        action: "\(record.role.rawValue).\(isEnabled ? "enabled" : "disabled")", subject: record.id)
      return (record, true)
    }
    if isChanged { await changed(record) }
    return record
  }

  private func revoke(
    _ reference: String, by person: PeerIdentity
  ) async throws(RPCError) -> DeviceRecord {
    let (record, isChanged) = try await stored { transaction in
      var record = try transaction.member(reference)
      try Self.refuseOneself(record, person)
      guard !record.isRevoked else { return (record, false) }
      record.isRevoked = true
      try transaction.update(member: record)
      try transaction.audit(
        actor: person.actor, action: "\(record.role.rawValue).revoked", subject: record.id)
      return (record, true)
    }
    if isChanged { await changed(record) }
    return record
  }

  private static func refuseOneself(
    _ record: DeviceRecord, _ person: PeerIdentity
  ) throws(RPCError) {
    guard record.id != person.id else {
      throw RPCError(
        .failedPrecondition, "Nobody can disable or revoke themselves; another operator must.",
        reason: "oneself")
    }
  }

  /// What is known of a member, the engine's part included.
  private func info(of record: DeviceRecord) async -> Proto.DeviceInfo {
    let entry = book[record.id]
    var info = Proto.DeviceInfo()
    info.deviceId = record.id
    info.deviceNumber = record.number
    info.name = record.name
    info.labels = record.labels
    info.role = record.role.rawValue
    info.enabled = record.isEnabled
    info.revoked = record.isRevoked
    info.enrolledMs = UInt64(max(0, record.enrolled))
    info.lastSeenMs = UInt64(max(0, max(record.lastSeen, entry?.lastSeen ?? 0)))
    info.certificateExpiresMs = UInt64(max(0, record.certificateExpires))
    info.build = entry.map(\.build).flatMap { $0.isEmpty ? nil : $0 } ?? record.build
    await onDetail(record, &info)
    return info
  }
}
