// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// What devices ask an engine; enrolment apart.
struct EdgeService: Sendable {
  let engine: Engine
  /// Notes what a device says it runs.
  let noteBuild: @Sendable (String, PeerIdentity) -> Void
  let messageLimit: UInt64
  let blobLimit: UInt64

  /// The protocol versions that are spoken here.
  static let versions: ClosedRange<UInt32> = 1...1

  func register(on router: inout CallRouter) {
    router.register(EdgeMethods.hello) { [self] (request, head) async throws(RPCError) in
      try await hello(request, from: head.peer)
    }
    let engine = engine
    router.register(EdgeMethods.checkIn) { (request, head) async throws(RPCError) in
      try await engine.checkIn(head.peer, request)
    }
    router.register(streaming: EdgeMethods.waitAssignment) {
      (request, head, sender) async throws(RPCError) in
      try await wait(engine, request, head, sender)
    }
    router.register(EdgeMethods.keepAlive) { (request, head) async throws(RPCError) in
      try await engine.keepAlive(head.peer, request)
    }
    router.register(EdgeMethods.submitUpdate) { (request, head) async throws(RPCError) in
      try await engine.submit(head.peer, request)
    }
    router.register(EdgeMethods.abandon) { (request, head) async throws(RPCError) in
      try await engine.abandon(head.peer, request)
    }
  }

  private func hello(
    _ request: Proto.HelloRequest, from peer: Peer
  ) async throws(RPCError) -> Proto.HelloReply {
    try await engine.requireServing()
    guard request.versionMin <= Self.versions.upperBound,
      request.versionMax >= Self.versions.lowerBound
    else {
      throw RPCError(
        .failedPrecondition,
        "Versions \(request.versionMin) to \(request.versionMax) are not spoken here; "
          + "\(Self.versions.lowerBound) to \(Self.versions.upperBound) are.",
        reason: "unsupported-version")
    }
    if let identity = peer.identity { noteBuild(String(request.build.prefix(200)), identity) }
    let retry = await engine.retryWindow()
    let time = engine.clock.wall()
    return Proto.HelloReply {
      $0.version = min(request.versionMax, Self.versions.upperBound)
      $0.features = request.features.contains("zstd") ? ["zstd"] : []
      $0.messageLimit = messageLimit
      $0.blobLimit = blobLimit
      $0.serverEpoch = engine.epoch
      $0.serverTimeMs = UInt64(max(time, 0))
      $0.retry = retry
    }
  }
}

/// Passes on what a device is told, until it goes or is sent away.
private func wait(
  _ engine: Engine, _ request: Proto.CheckInRequest, _ head: CallHead,
  _ sender: ReplySender<Proto.AssignmentEvent>
) async throws(RPCError) {
  let waiter = try await engine.attach(head.peer, request)
  do throws(RPCError) {
    while let event = await waiter.next() {
      try await sender.send(event)
      if case .goodbye? = event.event { break }
    }
  } catch {
    await engine.detach(waiter)
    throw error
  }
  await engine.detach(waiter)
}
