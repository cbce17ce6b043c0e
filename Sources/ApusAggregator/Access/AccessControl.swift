// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire
internal import Synchronization

/// What stands before every call: who calls, whether they may, whether they may now.
///
/// It is the only way to the router, which nobody else has. A call goes on with an ``Admission``, which only
/// ``admit(_:)`` makes and which it makes in one place, at its end: what is not allowed is refused, and nothing
/// falls through.
package struct AccessControl: CallHandler {
  /// What time it is.
  package struct Clock: Sendable {
    /// Milliseconds since 1970 (UTC).
    package var wall: @Sendable () -> Int64
    /// Since any beginning, never going back.
    package var monotonic: @Sendable () -> Duration

    package init(
      wall: @escaping @Sendable () -> Int64, monotonic: @escaping @Sendable () -> Duration
    ) {
      self.wall = wall
      self.monotonic = monotonic
    }

    package static let system: Clock = {
      let begin = ContinuousClock.now
      return Clock(wall: Store.systemTime, monotonic: { begin.duration(to: .now) })
    }()
  }

  /// Lets a holder of a good certificate in whom the book does not know: where an organization gives out the
  /// certificates, the first call is what enrols a device.
  package typealias Newcomers = @Sendable (PeerIdentity) async throws(RPCError) -> Void

  /// That somebody may make a call.
  private struct Admission {
    let call: any ServerCall
  }

  private final class Buckets: Sendable {
    let devices: Mutex<TokenBuckets>
    let persons: Mutex<TokenBuckets>
    let addresses: Mutex<TokenBuckets>

    init(_ limits: AccessLimits) {
      devices = Mutex(TokenBuckets(limits.device))
      persons = Mutex(TokenBuckets(limits.person))
      addresses = Mutex(TokenBuckets(limits.address))
    }
  }

  private let router: CallRouter
  private let book: AccessBook
  private let federation: String
  private let newcomers: Newcomers?
  private let clock: Clock
  private let buckets: Buckets

  /// - Parameters:
  ///   - router: every path that it knows must be in the ``AccessTable``.
  ///   - book: who is in the federation.
  ///   - federation: the name that certificates must have.
  ///   - limits: how often somebody may call.
  ///   - newcomers: nil where only those who enrolled are let in.
  ///   - clock: another one in tests.
  package init(
    to router: CallRouter, book: AccessBook, federation: String,
    limits: AccessLimits = AccessLimits(), newcomers: Newcomers? = nil, clock: Clock = .system
  ) {
    let strangers = router.paths.filter { AccessTable.rule(for: $0) == nil }
    precondition(strangers.isEmpty, "Not in the access table: \(strangers.sorted()).")
    self.router = router
    self.book = book
    self.federation = federation
    self.newcomers = newcomers
    self.clock = clock
    buckets = Buckets(limits)
  }

  package func handle(_ call: any ServerCall) async throws(RPCError) {
    try await forward(try await admit(call))
  }

  /// Whether somebody may read pages that are not calls, such as metrics.
  package func mayRead(_ peer: Peer) async -> Bool {
    guard let identity = peer.identity else { return false }
    let rule = AccessTable.Rule(
      roles: [.operator, .auditor], allowsAnonymous: false, allowsDisabled: false,
      isAnsweredAlways: false)
    do {
      try await check(identity, rule)
      return true
    } catch { return false }
  }

  private func forward(_ admission: Admission) async throws(RPCError) {
    try await router.handle(admission.call)
  }

  private func admit(_ call: any ServerCall) async throws(RPCError) -> Admission {
    let head = call.head
    guard let rule = AccessTable.rule(for: head.path) else {
      try takeTurn(head.peer)
      throw RPCError(.unimplemented, "there is no call \(head.path.prefix(200))")
    }
    try takeTurn(head.peer)
    if let identity = head.peer.identity {
      try await check(identity, rule)
    } else if !rule.allowsAnonymous {
      throw RPCError(
        .unauthenticated,
        "This call needs a client certificate. Join the federation first: apus join INVITATION.",
        reason: "no-certificate")
    } else if !rule.isAnsweredAlways {
      try requireStarted()
    }
    return Admission(call: call)
  }

  /// Until the aggregator has recovered, nobody is known, and nobody is let in or taken in.
  private func requireStarted() throws(RPCError) {
    guard book.isLoaded else {
      throw RPCError(
        .unavailable, "The aggregator is starting.", reason: "starting", retryAfter: .seconds(1))
    }
  }

  private func check(
    _ identity: PeerIdentity, _ rule: AccessTable.Rule
  ) async throws(RPCError) {
    guard identity.federation == federation else {
      throw RPCError(
        .permissionDenied, "The certificate is of another federation.", reason: "foreign-federation"
      )
    }
    let now = clock.wall()
    // A connection may live longer than the certificate that it began with.
    guard identity.expires > now / 1_000 else {
      throw RPCError(
        .unauthenticated, "The certificate is over. Join again with a new invitation.",
        reason: "certificate-over")
    }
    try requireStarted()
    var entry = book.lookUp(identity.id, seen: now)
    if entry == nil, let newcomers {
      try await newcomers(identity)
      entry = book.lookUp(identity.id, seen: now)
    }
    // The certificate's role is the one that was given to its holder, or it is no certificate of ours.
    guard let entry, entry.role == identity.role else {
      throw RPCError(
        .permissionDenied, "The certificate's holder is not in this federation.",
        reason: "unknown-identity")
    }
    guard !entry.isRevoked else {
      throw RPCError(
        .permissionDenied, "The certificate was revoked by an operator.", reason: "revoked")
    }
    guard rule.roles.contains(identity.role) else {
      throw RPCError(
        .permissionDenied, "This call is not for the role \(identity.role.rawValue).",
        reason: "wrong-role")
    }
    guard entry.isEnabled || rule.allowsDisabled else {
      // Not for good, hence not PERMISSION_DENIED: the device comes back and looks.
      throw RPCError(
        .unavailable,
        "An operator has disabled this device. It gets work when it is enabled again.",
        reason: "device-disabled", retryAfter: .seconds(300))
    }
  }

  /// Before anything is looked up, so that those who call too often cost nothing.
  private func takeTurn(_ peer: Peer) throws(RPCError) {
    let now = clock.monotonic()
    let wait: Duration? =
      switch peer.identity {
      case .some(let identity) where identity.role == .device:
        buckets.devices.withLock { $0.take(by: identity.id, at: now) }
      case .some(let identity):
        buckets.persons.withLock { $0.take(by: identity.id, at: now) }
      case .none:
        buckets.addresses.withLock {
          $0.take(by: CallerAddress.bucket(of: peer.address), at: now)
        }
      }
    if let wait {
      throw RPCError(
        .resourceExhausted, "Too many calls. Try again later.", reason: "too-many-calls",
        retryAfter: wait)
    }
  }
}
