// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
package import ApusTransport
package import ApusWire
internal import Synchronization

/// Lets people and devices in, renews their certificates, and shows them the door.
///
/// What it changes is durable and in the audit log before it answers, and in the ``AccessBook`` before the next call.
package final class EnrolmentService: Sendable {
  /// Is told of every change of a member, after it is durable and before it is answered.
  package typealias ChangeHook = @Sendable (DeviceRecord) async -> Void
  /// Fills in what only the engine knows of a device.
  package typealias DetailHook = @Sendable (DeviceRecord, inout Proto.DeviceInfo) async -> Void

  let store: Store
  let book: AccessBook
  let federation: String
  let authority: CertificateAuthority?
  let authorityDigest: [UInt8]
  let onChange: ChangeHook
  let onDetail: DetailHook
  let limits: AccessLimits
  /// Seconds that devices' certificates hold.
  private let deviceLifetime: Int64
  let clock: AccessControl.Clock
  let state: Mutex<State>

  struct State {
    var wrongTokens: TokenBuckets
    var refusalEntries: TokenBucket
    /// Where invitations send people.
    var address: (host: HostName, port: Int)?
    var refusalCount: UInt64 = 0
  }

  /// - Parameters:
  ///   - store: must be the only one that writes members.
  ///   - book: is filled by ``start()``.
  ///   - hub: whose authority signs.
  ///   - limits: how often a wrong token may be tried.
  ///   - deviceLifetime: seconds that devices' certificates hold.
  ///   - clock: another one in tests.
  ///   - onChange: is told of every change of a member.
  ///   - onDetail: fills in what only the engine knows of a device.
  package init(
    store: Store, book: AccessBook, hub: Hub, limits: AccessLimits = AccessLimits(),
    deviceLifetime: Int64 = CertificateAuthority.deviceLifetime,
    clock: AccessControl.Clock = .system, onChange: @escaping ChangeHook = { _ in },
    onDetail: @escaping DetailHook = { _, _ in }
  ) {
    self.store = store
    self.book = book
    federation = hub.federation
    authority = hub.authority
    authorityDigest =
      hub.authority?.certificate.digest ?? hub.clientAuthorities.first?.digest ?? []
    self.limits = limits
    self.deviceLifetime = deviceLifetime
    self.clock = clock
    self.onChange = onChange
    self.onDetail = onDetail
    state = Mutex(
      State(
        wrongTokens: TokenBuckets(limits.wrongToken),
        refusalEntries: TokenBucket(limits.refusalEntry, at: clock.monotonic())))
  }

  /// Puts the operator of this machine among the members and fills the book: from here on calls are let in.
  ///
  /// - Throws: what the store throws.
  package func start(localOperator: Identity?) async throws {
    let person = localOperator?.name
    let members = try await store.write { transaction in
      if let person, try transaction.member(id: person.id) == nil {
        let record = try transaction.add(
          member: DeviceRecord(
            id: person.id, role: .operator, number: 0, name: "operator on the aggregator",
            labels: [:], isEnabled: true, isRevoked: false, enrolled: transaction.time, lastSeen: 0,
            certificateExpires: person.expires * 1_000, build: ""))
        try transaction.audit(
          actor: "aggregator", action: "operator.enrolled", subject: record.id,
          detail: AuditDetail.json(["name": record.name]))
      }
      try transaction.removeTokens(overBefore: transaction.time - 30 * 86_400_000)
      return try transaction.members()
    }
    book.load(members)
  }

  /// Says where invitations send people: how devices reach this aggregator.
  package func setAddress(host: HostName, port: Int) {
    state.withLock { $0.address = (host, port) }
  }

  var address: (host: HostName, port: Int)? { state.withLock(\.address) }

  /// How many attempts to enrol were refused since the start.
  package var refusalCount: UInt64 { state.withLock(\.refusalCount) }

  /// Answers Enroll, RenewCertificate, CreateInvitation, ListDevices, GetDevice, SetDeviceEnabled, RevokeDevice.
  package func register(on router: inout CallRouter) {
    router.register(EdgeMethods.enroll) { [self] (request, head) async throws(RPCError) in
      try await enroll(request, from: head.peer)
    }
    router.register(EdgeMethods.renewCertificate) {
      [self] (request, head) async throws(RPCError) in
      try await renew(request, for: try head.member())
    }
    registerMemberCalls(on: &router)
  }

  // MARK: Certificates

  /// A certificate that is written down, and whose it is.
  struct Issued {
    let record: DeviceRecord
    let certificate: Certificate
  }

  func renew(
    _ request: Proto.RenewCertificateRequest, for member: PeerIdentity
  ) async throws(RPCError) -> Proto.EnrollReply {
    let authority = try signer()
    let signingRequest = try Self.signingRequest(request.signingRequest)
    let issued = try await stored { [self] transaction in
      // Looked at once more: it may have been revoked since the call was let in.
      guard let record = try transaction.member(id: member.id), !record.isRevoked else {
        throw RPCError(
          .permissionDenied, "The certificate was revoked by an operator.", reason: "revoked")
      }
      return try issue(signingRequest, to: record, by: authority, in: transaction)
    }
    book.note(issued.record)
    return Self.reply(issued, authority)
  }

  /// Signs, and writes down when the certificate ends.
  func issue(
    _ request: SigningRequest, to record: DeviceRecord, by authority: CertificateAuthority,
    in transaction: Transaction
  ) throws -> Issued {
    let certificate: Certificate
    do throws(TransportError) {
      let name = try IdentityName(federation: federation, role: record.role, id: record.id)
      certificate = try authority.issue(
        for: request, name, lifetime: record.role == .device ? deviceLifetime : nil,
        at: transaction.time / 1_000)
    } catch {
      throw RPCError(.internal, "The certificate could not be made.", reason: error.code.rawValue)
    }
    var record = record
    record.certificateExpires = certificate.notAfter * 1_000
    record.lastSeen = transaction.time
    if let build = book[record.id]?.build, !build.isEmpty { record.build = build }
    try transaction.update(member: record)
    try transaction.audit(
      actor: "aggregator", action: "certificate.issued", subject: record.id,
      detail: AuditDetail.json([
        "fingerprint": certificate.fingerprint, "expires_ms": "\(record.certificateExpires)",
      ]))
    return Issued(record: record, certificate: certificate)
  }

  static func reply(
    _ issued: Issued, _ authority: CertificateAuthority
  ) -> Proto.EnrollReply {
    var reply = Proto.EnrollReply()
    reply.certificates = [issued.certificate.der]
    reply.authority = authority.certificate.der
    reply.deviceId = issued.record.id
    reply.deviceNumber = issued.record.number
    reply.expiresMs = UInt64(issued.certificate.notAfter) * 1_000
    reply.role = issued.record.role.rawValue
    return reply
  }

  /// Writes a newcomer of an organization down: somebody with a good certificate who was not here before.
  ///
  /// - Throws: `permissionDenied` for servers, and what the store says.
  package func admitNewcomer(_ identity: PeerIdentity) async throws(RPCError) {
    guard identity.role != .server else {
      throw RPCError(
        .permissionDenied, "A server's certificate is nobody's who calls.", reason: "wrong-role")
    }
    let record = try await stored { transaction in
      // Two calls may come at once.
      if let known = try transaction.member(id: identity.id) { return known }
      let record = try transaction.add(
        member: DeviceRecord(
          id: identity.id, role: identity.role, number: 0, name: "", labels: [:], isEnabled: true,
          isRevoked: false, enrolled: transaction.time, lastSeen: transaction.time,
          certificateExpires: identity.expires * 1_000, build: ""))
      try transaction.audit(
        actor: identity.actor, action: "\(identity.role.rawValue).enrolled", subject: identity.id,
        detail: AuditDetail.json(["fingerprint": identity.fingerprint]))
      return record
    }
    await changed(record)
  }

  // MARK: Parts

  /// Our own authority.
  func signer() throws(RPCError) -> CertificateAuthority {
    guard let authority else {
      throw RPCError(
        .failedPrecondition,
        "This federation uses certificates of an organization; ask its administrators for one.",
        reason: "organization-certificates")
    }
    return authority
  }

  func changed(_ record: DeviceRecord) async {
    book.note(record)
    await onChange(record)
  }

  /// Writes, and says what went wrong as a call's status.
  func stored<Value: Sendable>(
    _ body: @escaping @Sendable (Transaction) throws -> Value
  ) async throws(RPCError) -> Value {
    do {
      return try await store.write(body)
    } catch let error as RPCError {
      throw error
    } catch let error as AggregatorError {
      throw error.status
    } catch {
      throw RPCError(.internal, "The aggregator failed.")
    }
  }

  static func signingRequest(_ der: [UInt8]) throws(RPCError) -> SigningRequest {
    do throws(TransportError) { return try SigningRequest(der: der) } catch {
      throw RPCError(.invalidArgument, error.message, reason: error.code.rawValue)
    }
  }

  static func freshID() throws(RPCError) -> String {
    do throws(TransportError) { return try SecureRandom.id() } catch {
      throw RPCError(.internal, "No id could be drawn.", reason: error.code.rawValue)
    }
  }
}

extension PeerIdentity {
  /// Who did something, as the audit log has it.
  package var actor: String { "\(role.rawValue) \(id)" }
}

extension CallHead {
  /// Who calls; ``AccessControl`` has let nobody else through.
  func member() throws(RPCError) -> PeerIdentity {
    guard let identity = peer.identity else {
      throw RPCError(
        .unauthenticated, "This call needs a client certificate.", reason: "no-certificate")
    }
    return identity
  }
}
