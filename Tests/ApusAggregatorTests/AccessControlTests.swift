// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Testing

@testable import ApusAggregator

@Suite("Access control")
struct AccessControlTests {
  /// Everybody who may knock; nil: without a certificate.
  static let roles: [Role?] = [nil, .device, .operator, .auditor, .server]

  static let paths =
    (EdgeMethods.paths + BlobsMethods.paths + CoordinatorMethods.paths + HealthMethods.paths)
    .sorted()

  static let questions = paths.flatMap { path in roles.map { (path, $0) } }

  /// Who may make a call as the comments of protocols/ say it, said once more and in other words than the table's.
  static func mayCall(_ path: String, _ role: Role?) -> Bool {
    let parts = path.split(separator: "/")
    let (service, call) = (parts[0], parts[1])
    switch (service, role) {
    case (_, .server): return false
    case ("grpc.health.v1.Health", _): return true
    case ("apus.v1.Edge", _) where call == "Hello": return true
    case ("apus.v1.Edge", _) where call == "Enroll": return role == nil
    case (_, nil): return false
    case ("apus.v1.Edge", _) where call == "RenewCertificate": return true
    case ("apus.v1.Edge", let role): return role == .device
    case ("apus.v1.Blobs", let role): return role != .auditor || call == "ReadBlob"
    case ("apus.v1.Coordinator", .operator): return true
    case ("apus.v1.Coordinator", .auditor):
      return ["List", "Get", "Watch", "VerifyAuditChain"].contains { call.hasPrefix($0) }
    default: return false
    }
  }

  /// A control whose router knows every call, and counts.
  private func control(
    _ reached: Counter, isRevoked: Bool = false, isEnabled: Bool = true, isLoaded: Bool = true,
    limits: AccessLimits = AccessLimits(), clock: StandingClock = StandingClock()
  ) -> AccessControl {
    var router = CallRouter()
    for path in Self.paths { router.register(raw: path) { _ in reached.add() } }
    let book = AccessBook()
    if isLoaded {
      book.load(
        Self.roles.compactMap(\.self).map { role in
          DeviceRecord(
            id: Self.id(role), role: role, number: 0, name: "", labels: [:], isEnabled: isEnabled,
            isRevoked: isRevoked, enrolled: 0, lastSeen: 0, certificateExpires: 0, build: "")
        })
    }
    return AccessControl(
      to: router, book: book, federation: "birds", limits: limits, clock: clock.access)
  }

  static func id(_ role: Role) -> String {
    String(
      repeating: String(
        "abcdef".prefix(Role.allCases.firstIndex(of: role).map { $0 + 1 } ?? 1).suffix(1)),
      count: 32)
  }

  static func identity(
    _ role: Role, federation: String = "birds", expires: Int64 = .max / 2_000
  ) -> PeerIdentity {
    PeerIdentity(
      federation: federation, role: role, id: id(role),
      fingerprint: String(repeating: "0", count: 64), expires: expires)
  }

  private func answer(
    _ control: AccessControl, _ path: String, _ identity: PeerIdentity?,
    from address: String = "192.0.2.1:1"
  ) async -> RPCError? {
    await status {
      try await control.handle(NotedCall(path, Peer(identity: identity, address: address)))
    }
  }

  @Test("The table has exactly the calls of protocols/")
  func tableIsComplete() {
    #expect(Set(AccessTable.rules.keys) == Set(Self.paths))
    #expect(AccessTable.rules.count == Self.paths.count)
    #expect(Self.paths.count > 30)
  }

  @Test(
    "Each call is for the roles that its service's comments name, and for no other",
    arguments: questions)
  func eachCallHasItsRoles(path: String, role: Role?) async {
    let reached = Counter()
    let control = control(reached)
    let error = await answer(control, path, role.map { Self.identity($0) })
    if Self.mayCall(path, role) {
      #expect(error == nil)
      #expect(reached.count == 1)
    } else {
      #expect(error?.code == (role == nil ? .unauthenticated : .permissionDenied))
      #expect(reached.count == 0, "a call that was refused reached the router")
    }
  }

  @Test("What is wrong with a caller refuses every call, whatever its role", arguments: paths)
  func wrongCallersAreRefused(path: String) async {
    let reached = Counter()
    for role in [Role.device, .operator, .auditor] {
      let foreign = Self.identity(role, federation: "bees")
      #expect(await answer(control(reached), path, foreign)?.reason == "foreign-federation")
      let over = Self.identity(role, expires: 1_767_323_045)
      #expect(await answer(control(reached), path, over)?.reason == "certificate-over")
      var stranger = Self.identity(role)
      stranger.id = String(repeating: "9", count: 32)
      #expect(await answer(control(reached), path, stranger)?.reason == "unknown-identity")
      // Another's id under a role that it was not given.
      var climber = Self.identity(role)
      climber.id = Self.id(role == .device ? .operator : .device)
      #expect(await answer(control(reached), path, climber)?.reason == "unknown-identity")
      let revoked = control(reached, isRevoked: true)
      #expect(await answer(revoked, path, Self.identity(role))?.reason == "revoked")
      let starting = control(reached, isLoaded: false)
      let error = await answer(starting, path, Self.identity(role))
      #expect(error?.code == .unavailable && error?.retryAfter != nil)
    }
    #expect(reached.count == 0)
  }

  @Test("A disabled device may say hello and renew, gets no work, and is told to come back")
  func disabledDevices() async {
    let reached = Counter()
    let control = control(reached, isEnabled: false)
    let device = Self.identity(.device)
    for method in [EdgeMethods.hello.path, EdgeMethods.renewCertificate.path] {
      #expect(await answer(control, method, device) == nil)
    }
    for method in [
      EdgeMethods.checkIn.path, EdgeMethods.waitAssignment.path, EdgeMethods.submitUpdate.path,
      EdgeMethods.keepAlive.path, BlobsMethods.readBlob.path, BlobsMethods.writeBlob.path,
    ] {
      let error = await answer(control, method, device)
      #expect(error?.code == .unavailable && error?.reason == "device-disabled")
      #expect(error?.retryAfter != nil)
    }
    #expect(reached.count == 2)
  }

  @Test(
    "A call that is not in the table is not made, whoever asks",
    arguments: [
      "/apus.v1.Edge/Helloo", "/apus.v1.edge/Hello", "/apus.v1.Edge/Hello/", "apus.v1.Edge/Hello",
      "", "/",
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/apus.v1.Edge/Hello\0",
    ])
  func unknownCalls(path: String) async {
    let reached = Counter()
    let control = control(reached)
    #expect(await answer(control, path, nil)?.code == .unimplemented)
    #expect(await answer(control, path, Self.identity(.operator))?.code == .unimplemented)
    #expect(reached.count == 0)
  }

  @Test("A router with a call that the table lacks is a mistake of ours")
  func unlistedCallsTrap() async {
    await #expect(processExitsWith: .failure) {
      var router = CallRouter()
      router.register(raw: "/apus.v1.Edge/Secret") { _ in }
      _ = AccessControl(to: router, book: AccessBook(), federation: "birds")
    }
  }

  @Test("Revocation holds from the next call on, and so does enabling")
  func revocationHoldsAtOnce() async {
    let reached = Counter()
    var router = CallRouter()
    router.register(raw: EdgeMethods.checkIn.path) { _ in reached.add() }
    let book = AccessBook()
    var record = DeviceRecord(
      id: Self.id(.device), role: .device, number: 3, name: "", labels: [:], isEnabled: true,
      isRevoked: false, enrolled: 0, lastSeen: 0, certificateExpires: 0, build: "")
    book.load([record])
    let control = AccessControl(
      to: router, book: book, federation: "birds", clock: StandingClock().access)
    let device = Self.identity(.device)
    #expect(await answer(control, EdgeMethods.checkIn.path, device) == nil)
    record.isEnabled = false
    book.note(record)
    #expect(await answer(control, EdgeMethods.checkIn.path, device)?.reason == "device-disabled")
    record.isEnabled = true
    book.note(record)
    #expect(await answer(control, EdgeMethods.checkIn.path, device) == nil)
    record.isRevoked = true
    book.note(record)
    #expect(await answer(control, EdgeMethods.checkIn.path, device)?.reason == "revoked")
    #expect(reached.count == 2)
  }

  @Test("Who calls too often is told when to come back, before anything is looked up")
  func bucketsHoldBack() async {
    var limits = AccessLimits()
    limits.device = .init(burst: 3, perSecond: 0.5)
    limits.address = .init(burst: 2, perSecond: 1)
    let (reached, clock) = (Counter(), StandingClock())
    let control = control(reached, limits: limits, clock: clock)
    let path = EdgeMethods.checkIn.path
    for _ in 0..<3 { #expect(await answer(control, path, Self.identity(.device)) == nil) }
    let error = await answer(control, path, Self.identity(.device))
    #expect(error?.code == .resourceExhausted)
    #expect(error?.retryAfter == .seconds(2))
    // Another identity has a bucket of its own.
    #expect(
      await answer(control, CoordinatorMethods.listTasks.path, Self.identity(.operator)) == nil)
    clock.move(.seconds(2))
    #expect(await answer(control, path, Self.identity(.device)) == nil)

    // Without a certificate the address counts, whatever the port.
    let hello = EdgeMethods.hello.path
    #expect(await answer(control, hello, nil, from: "192.0.2.9:1") == nil)
    #expect(await answer(control, hello, nil, from: "192.0.2.9:2") == nil)
    #expect(await answer(control, hello, nil, from: "192.0.2.9:3")?.code == .resourceExhausted)
    #expect(await answer(control, hello, nil, from: "192.0.2.8:3") == nil)
  }

  @Test("Pages that are no calls are for operators and auditors")
  func pages() async {
    let control = control(Counter())
    for role in Self.roles {
      let peer = Peer(identity: role.map { Self.identity($0) }, address: "")
      let mayRead = await control.mayRead(peer)
      #expect(mayRead == (role == .operator || role == .auditor))
    }
  }
}

@Suite("Token buckets")
struct TokenBucketTests {
  @Test("A bucket gives its burst at once, and then as much as flows in")
  func burstThenRate() {
    let rate = TokenBucket.Rate(burst: 2, perSecond: 4)
    var bucket = TokenBucket(rate, at: .zero)
    #expect(bucket.take(of: rate, at: .zero) == nil)
    #expect(bucket.take(of: rate, at: .zero) == nil)
    #expect(bucket.take(of: rate, at: .zero) == .milliseconds(250))
    #expect(bucket.take(of: rate, at: .milliseconds(249)) != nil)
    #expect(bucket.take(of: rate, at: .milliseconds(250)) == nil)
    // Never more than the burst, however long nobody came.
    #expect(bucket.take(2, of: rate, at: .seconds(1_000)) == nil)
    #expect(bucket.take(of: rate, at: .seconds(1_000)) != nil)
  }

  @Test("A clock that goes back fills nothing in")
  func clockGoesBack() {
    let rate = TokenBucket.Rate(burst: 1, perSecond: 1)
    var bucket = TokenBucket(rate, at: .seconds(100))
    #expect(bucket.take(of: rate, at: .seconds(100)) == nil)
    #expect(bucket.take(of: rate, at: .seconds(5)) == .seconds(1))
    #expect(bucket.take(of: rate, at: .seconds(101)) == nil)
  }

  @Test("Full buckets are forgotten, and when all are busy strangers share one")
  func memoryIsBounded() {
    var buckets = TokenBuckets(.init(burst: 1, perSecond: 1), limit: 3)
    for name in ["a", "b", "c"] { #expect(buckets.take(by: name, at: .zero) == nil) }
    #expect(buckets.take(by: "d", at: .zero) == nil)
    #expect(buckets.take(by: "e", at: .zero) != nil)
    #expect(buckets.count == 3)
    #expect(buckets.take(by: "e", at: .seconds(1)) == nil)
    #expect(buckets.count == 1)
  }

  @Test(
    "An address's bucket is its host; in IPv6 its network",
    arguments: [
      ("192.0.2.1:51812", "192.0.2.1"), ("[::ffff:192.0.2.1]:5", "192.0.2.1"),
      ("[2001:db8:1:2:3:4:5:6]:5", "2001:db8:1:2::/64"),
      ("[2001:db8:1:2::9]:5", "2001:db8:1:2::/64"),
      ("[2001:db8::9]:5", "2001:db8:0:0::/64"), ("[::1]:5", "0:0:0:0::/64"),
      ("in-process", "in-process"),
    ])
  func addresses(address: String, bucket: String) {
    #expect(CallerAddress.bucket(of: address) == bucket)
  }
}
