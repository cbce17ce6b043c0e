// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Foundation
import Synchronization
import Testing

@testable import ApusAggregator

/// A clock that stands until it is moved.
final class StandingClock: Sendable {
  /// Milliseconds since 1970.
  private let time: Mutex<Int64>

  init(_ milliseconds: Int64 = 1_767_323_045_000) { time = Mutex(milliseconds) }

  var now: Int64 { time.withLock { $0 } }

  func move(_ duration: Duration) { time.withLock { $0 += Int64(duration / .milliseconds(1)) } }

  var access: AccessControl.Clock {
    AccessControl.Clock(
      wall: { [self] in now }, monotonic: { [self] in .milliseconds(now) })
  }
}

/// A call without a way: what was let through is noted.
final class NotedCall: ServerCall {
  let head: CallHead

  init(_ path: String, _ peer: Peer) { head = CallHead(path: path, peer: peer) }

  func receive() async throws(RPCError) -> [UInt8]? { nil }
  func send(_ message: [UInt8]) async throws(RPCError) {}
}

/// How often the router was reached.
final class Counter: Sendable {
  private let value = Mutex(0)

  var count: Int { value.withLock { $0 } }
  func add() { value.withLock { $0 += 1 } }
}

/// A hub with a store in a directory of its own, and calls in process.
final class TestHub: Sendable {
  let path: String
  /// Whether the directory goes with the hub.
  private let ownsPath: Bool
  let clock: StandingClock
  let hub: Hub
  let store: Store
  let book = AccessBook()
  let service: EnrolmentService
  let control: AccessControl
  let changes: Changes

  /// What the engine was told.
  final class Changes: Sendable {
    private let list = Mutex<[DeviceRecord]>([])

    var all: [DeviceRecord] { list.withLock { $0 } }
    func add(_ record: DeviceRecord) { list.withLock { $0.append(record) } }
  }

  init(
    at path: String? = nil, clock: StandingClock = StandingClock(), limits: AccessLimits = .init()
  ) async throws {
    self.path =
      path
      ?? FileManager.default.temporaryDirectory.appendingPathComponent(
        "apus-hub-\(UUID().uuidString)"
      )
      .path
    ownsPath = path == nil
    self.clock = clock
    hub = try HubDirectory(path: self.path).open(
      federation: "birds", hosts: [try HostName.named("127.0.0.1")], at: clock.now / 1_000)
    store = try Store.open(
      self.path + "/state", clock: { clock.now },
      onFatal: { error in Issue.record("the store failed: \(error)") })
    let changes = Changes()
    self.changes = changes
    service = EnrolmentService(
      store: store, book: book, hub: hub, limits: limits, clock: clock.access,
      onChange: { changes.add($0) })
    var router = CallRouter()
    service.register(on: &router)
    router.register(EdgeMethods.hello) { (request, _) async throws(RPCError) in
      var reply = Proto.HelloReply()
      reply.version = 1
      return reply
    }
    router.register(EdgeMethods.checkIn) { (_, _) async throws(RPCError) in Proto.CheckInReply() }
    control = AccessControl(
      to: router, book: book, federation: hub.federation, limits: limits, clock: clock.access)
    service.setAddress(host: try HostName.named("127.0.0.1"), port: 8443)
    try await service.start(localOperator: hub.localOperator)
  }

  deinit {
    if ownsPath { try? FileManager.default.removeItem(atPath: path) }
  }

  /// A way for somebody with a certificate, or with none.
  func channel(_ identity: PeerIdentity? = nil, from address: String = "192.0.2.1:4000")
    -> InProcessTransport
  {
    InProcessTransport(handler: control, peer: Peer(identity: identity, address: address))
  }

  var operatorChannel: InProcessTransport { channel(hub.localOperator?.name) }

  func invite(
    uses: UInt32 = 1, lifetime: UInt64 = 3_600_000, role: Role = .device,
    labels: [String: String] = [:]
  ) async throws -> Invitation {
    var request = Proto.CreateInvitationRequest()
    request.uses = uses
    request.lifetimeMs = lifetime
    request.role = role.rawValue
    request.labels = labels
    let reply = try await operatorChannel.call(
      CoordinatorMethods.createInvitation, request, timeout: nil)
    return try Invitation(url: reply.url)
  }

  /// Joins, and gives who one is then.
  func enroll(
    _ invitation: Invitation, key: PrivateKey? = nil, attempt: [UInt8] = SecureRandom.attempt(),
    name: String = "swift", labels: [String: String] = [:]
  ) async throws -> (reply: Proto.EnrollReply, name: PeerIdentity) {
    var request = Proto.EnrollRequest()
    request.token = invitation.token.text
    request.signingRequest = try SigningRequest.make(for: key ?? .generate()).der
    request.name = name
    request.labels = labels
    request.idempotencyKey = attempt
    let reply = try await channel().call(EdgeMethods.enroll, request, timeout: nil)
    return (reply, try Certificate.identify(reply.certificates.first ?? []))
  }

  func auditActions() async throws -> [String] {
    try await store.read { try $0.auditEntries(after: 0, limit: 1_000).map(\.action) }
  }

  func auditText() async throws -> String {
    try await store.read { transaction in
      try transaction.auditEntries(after: 0, limit: 1_000)
        .map { "\($0.actor) \($0.action) \($0.subject) \($0.detail)" }.joined(separator: "\n")
    }
  }
}

extension SecureRandom {
  static func attempt() -> [UInt8] { (0..<16).map { _ in .random(in: 0...255) } }
}

extension HostName {
  struct NoHost: Error {}

  static func named(_ text: String) throws -> HostName {
    guard let host = HostName(text) else { throw NoHost() }
    return host
  }
}

/// The status that a body fails with; nil where it does not fail.
func status(of body: () async throws -> Void) async -> RPCError? {
  do {
    try await body()
    return nil
  } catch let error as RPCError {
    return error
  } catch {
    return RPCError(.unknown, "\(error)")
  }
}
