// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusTransport
internal import ApusWire
internal import Synchronization

/// Joining with an invitation.
extension EnrolmentService {
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
}
