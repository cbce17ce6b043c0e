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
  private let limits: AccessLimits
  /// Seconds that devices' certificates hold.
  private let deviceLifetime: Int64
  private let clock: AccessControl.Clock
  private let state: Mutex<State>

  private struct State {
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

  // MARK: Joining

  /// What all wrong tokens are answered: nobody learns by it whether a token exists.
  static let refusal = RPCError(
    .permissionDenied, "The invitation is unknown, used up or over.", reason: "invitation-refused")

  /// Why somebody was not let in; for the audit log, not for the wire.
  private enum Refusal: String {
    case malformedToken = "malformed-token"
    case unknownToken = "unknown-token"
    case usedUp = "token-used-up"
    case over = "token-over"
    /// A repeated attempt, with another key than before.
    case otherKey = "other-key-for-attempt"
    case revoked = "revoked"
  }

  private enum Outcome {
    case enrolled(Issued)
    case repeated(Issued)
    case refused(Refusal, mark: String)
  }

  /// A certificate that is written down, and whose it is.
  private struct Issued {
    let record: DeviceRecord
    let certificate: Certificate
  }

  func enroll(
    _ request: Proto.EnrollRequest, from peer: Peer
  ) async throws(RPCError) -> Proto.EnrollReply {
    let authority = try signer()
    let place = CallerAddress.bucket(of: peer.address)
    let wait = state.withLock { $0.wrongTokens.has(by: place, at: clock.monotonic()) }
    if let wait {
      throw RPCError(
        .resourceExhausted, "Too many invitations from this address were refused. Try again later.",
        reason: "too-many-refusals", retryAfter: wait)
    }
    try EnrolmentRules.check(name: request.name)
    try EnrolmentRules.check(labels: request.labels)
    guard request.idempotencyKey.count == 16 else {
      throw RPCError(
        .invalidArgument, "The idempotency key has 16 bytes.", reason: "bad-idempotency-key")
    }
    let signingRequest = try Self.signingRequest(request.signingRequest)
    guard let token = Token(text: request.token) else {
      throw await refuse(.malformedToken, mark: "", from: peer)
    }

    var hash = SHA256()
    signingRequest.publicKey.withUnsafeBytes { hash.update($0) }
    let (publicKeyDigest, digest) = (hash.finalize(), token.digest)
    let id = try Self.freshID()
    let outcome = try await stored { [self] transaction -> Outcome in
      let entry = try member(
        for: request, token: digest, publicKey: publicKeyDigest, id: id, in: transaction)
      switch entry {
      case .refused(let reason, let mark): return .refused(reason, mark: mark)
      case .new(let record):
        return .enrolled(try issue(signingRequest, to: record, by: authority, in: transaction))
      case .known(let record):
        return .repeated(try issue(signingRequest, to: record, by: authority, in: transaction))
      }
    }
    switch outcome {
    case .refused(let reason, let mark): throw await refuse(reason, mark: mark, from: peer)
    case .repeated(let issued):
      book.note(issued.record)
      return Self.reply(issued, authority)
    case .enrolled(let issued):
      await changed(issued.record)
      return Self.reply(issued, authority)
    }
  }

  /// Whom an attempt to enrol is of.
  private enum Entry {
    case new(DeviceRecord)
    case known(DeviceRecord)
    case refused(Refusal, mark: String)
  }

  private func member(
    for request: Proto.EnrollRequest, token digest: [UInt8], publicKey: [UInt8], id: String,
    in transaction: Transaction
  ) throws -> Entry {
    guard let token = try transaction.token(digest) else {
      return .refused(.unknownToken, mark: "")
    }
    guard token.expires > transaction.time else { return .refused(.over, mark: token.mark) }
    if let earlier = try transaction.enrolment(with: digest, key: request.idempotencyKey) {
      guard earlier.publicKeyDigest == publicKey else {
        return .refused(.otherKey, mark: token.mark)
      }
      guard let member = try transaction.member(id: earlier.member), !member.isRevoked else {
        return .refused(.revoked, mark: token.mark)
      }
      return .known(member)
    }
    guard try transaction.use(token: digest) else { return .refused(.usedUp, mark: token.mark) }
    // What the invitation says of a device counts; what the device says of itself is added.
    var labels = request.labels.merging(token.labels) { _, given in given }
    while labels.count > EnrolmentRules.labelLimit {
      let own = labels.keys.filter { token.labels[$0] == nil }.max()
      guard let own else { break }
      labels[own] = nil
    }
    let record = try transaction.add(
      member: DeviceRecord(
        id: id, role: token.role, number: 0, name: request.name, labels: labels, isEnabled: true,
        isRevoked: false, enrolled: transaction.time, lastSeen: transaction.time,
        certificateExpires: 0, build: ""))
    try transaction.add(
      enrolment: EnrolmentRecord(publicKeyDigest: publicKey, member: id), with: digest,
      key: request.idempotencyKey)
    try transaction.audit(
      actor: "aggregator", action: "\(token.role.rawValue).enrolled", subject: id,
      detail: AuditDetail.json([
        "name": record.name, "number": "\(record.number)", "token": token.mark,
        "labels": AuditDetail.text(of: labels),
      ]))
    return .new(record)
  }

  private func refuse(_ reason: Refusal, mark: String, from peer: Peer) async -> RPCError {
    let now = clock.monotonic()
    let isLogged = state.withLock { state in
      state.refusalCount += 1
      _ = state.wrongTokens.take(by: CallerAddress.bucket(of: peer.address), at: now)
      return state.refusalEntries.take(of: limits.refusalEntry, at: now) == nil
    }
    if isLogged {
      // Nobody is let in, whether it can be logged or not.
      _ = try? await store.write { transaction in
        try transaction.audit(
          actor: peer.address, action: "enrolment.refused", subject: mark,
          detail: AuditDetail.json(["reason": reason.rawValue]))
      }
    }
    return Self.refusal
  }

  // MARK: Certificates

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
  private func issue(
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

  private static func reply(
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

  private static func signingRequest(_ der: [UInt8]) throws(RPCError) -> SigningRequest {
    do throws(TransportError) { return try SigningRequest(der: der) } catch {
      throw RPCError(.invalidArgument, error.message, reason: error.code.rawValue)
    }
  }

  private static func freshID() throws(RPCError) -> String {
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
