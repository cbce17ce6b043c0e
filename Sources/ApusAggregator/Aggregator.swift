// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusRounds
internal import ApusTransport
package import ApusWire
internal import Foundation
internal import Synchronization

/// A federation's server: devices join it, work for its tasks, and hand in what they learned.
///
/// What it acknowledges is durable. It may be killed at any moment: the next one that is started in the same
/// directory goes on.
public final class Aggregator: Sendable {
  /// The parts, from the start on.
  private struct Parts: Sendable {
    var hub: Hub
    var store: Store
    var blobs: BlobStore
    var uploads: Uploads
    var engine: Engine
    var enrolment: EnrolmentService
    var health: HealthService
    var access: AccessControl
    var server: GRPCServer?
    var chores: [Task<Void, Never>] = []
  }

  private struct State: Sendable {
    var parts: Parts?
    var firstInvitation: String?
    var isDraining = false
    var isStopped = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let configuration: AggregatorConfiguration
  private let settings: EngineSettings
  private let clock: EngineClock
  private let log: Mutex<EventLog?> = Mutex(nil)
  private let metrics = Metrics()
  /// Refused certificates that are logged: anybody can have as many refused as they like.
  private let distrustEntries = Mutex(TokenBucket(AccessLimits().refusalEntry, at: .zero))
  private let started = ContinuousClock.now
  private let state = Mutex(State())
  private let onFatal: @Sendable (AggregatorError) -> Void

  /// - Parameter configuration: nothing is opened before ``start()``.
  public convenience init(_ configuration: AggregatorConfiguration) {
    var settings = EngineSettings()
    settings.lease = .seconds(configuration.leaseSeconds)
    settings.gathering = .seconds(configuration.gatheringSeconds)
    settings.evaluationThreads = configuration.evaluationThreads
    self.init(configuration, settings: settings)
  }

  init(
    _ configuration: AggregatorConfiguration, settings: EngineSettings,
    clock: EngineClock = .system,
    onFatal: @escaping @Sendable (AggregatorError) -> Void = Store.exitProcess
  ) {
    self.configuration = configuration
    self.settings = settings
    self.clock = clock
    self.onFatal = onFatal
  }

  /// An invitation for devices, from the start in a new directory on.
  public var firstInvitation: String? { state.withLock(\.firstInvitation) }

  /// What answers calls, for a transport in this process.
  package var handler: (any CallHandler)? { state.withLock { $0.parts?.access } }

  /// The federation's name.
  public var federation: String? { state.withLock { $0.parts?.hub.federation } }

  // MARK: Starting

  /// Opens the directory, or begins it, and serves.
  ///
  /// Before recovery is done nothing but health is answered.
  ///
  /// - Returns: the port.
  /// - Throws: ``AggregatorError``, or what the transport says of certificates and addresses.
  @discardableResult
  public func start() async throws -> Int { try await start(listening: true) }

  /// The same, also without a port.
  ///
  /// - Parameter listening: false where calls come through ``handler`` only.
  /// - Returns: the port; 0 without one.
  /// - Throws: as ``start()``.
  @discardableResult
  package func start(listening: Bool) async throws -> Int {
    guard
      (1...CertificateAuthority.deviceLifetimeLimit).contains(
        configuration.deviceCertificateSeconds)
    else {
      throw AggregatorError(
        .invalidValue,
        "Devices' certificates cannot hold for \(configuration.deviceCertificateSeconds) s; 1 second to 1 year "
          + "is expected.")
    }
    let log = try EventLog(path: configuration.logFile)
    self.log.withLock { $0 = log }
    let hub = try openHub()
    let store = try Store.open(configuration.directory, onFatal: onFatal)
    let folds = configuration.directory + "/folds"
    try FileManager.default.createDirectory(
      atPath: folds, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    var limits = BlobStore.Limits()
    if let quota = configuration.blobQuota { limits.quota = quota }
    limits.blobSize = configuration.blobLimit
    let blobs = try await BlobStore.open(in: store, limits: limits)
    let engine = Engine(
      store: store, blobs: blobs, clock: clock, settings: settings, foldDirectory: folds,
      log: log, metrics: metrics)
    var parts = assemble(hub, store, blobs, engine)
    var port = 0
    if listening {
      let server = try makeServer(parts)
      parts.server = server
      port = try await server.start()
      parts.enrolment.setAddress(host: address, port: port)
    }
    state.withLock { $0.parts = parts }

    // What is known of members is what calls are checked against: until here nobody was let in.
    let devices = try await store.read { try $0.devices() }
    try await engine.recover(
      devices: devices.map { ($0.number, $0.id, Eligibility.Device($0)) })
    try await parts.enrolment.start(localOperator: hub.localOperator)
    parts.health.set(serving: true)
    if hub.isNew, listening, hub.authority != nil {
      let invitation = try await parts.enrolment.createInvitation(
        uses: configuration.firstInvitationUses,
        lifetime: UInt64(configuration.firstInvitationLifetime * 1000), by: "aggregator")
      state.withLock { $0.firstInvitation = invitation.url }
    }
    let chores = [
      Task { [weak self] in await Self.keepHouse(self) },
      Task { [weak self] in await Self.keepCertificates(self) },
    ]
    state.withLock { $0.parts?.chores = chores }
    return port
  }

  private var address: HostName {
    configuration.names.first.flatMap { HostName($0) }
      ?? HostName(configuration.host == "0.0.0.0" ? "127.0.0.1" : configuration.host)
      ?? HostName("127.0.0.1").unsafelyUnwrapped
  }

  private func openHub() throws -> Hub {
    let directory = HubDirectory(path: configuration.directory)
    if let files = configuration.certificates {
      return try directory.open(
        certificateFile: files.certificateFile, keyFile: files.keyFile,
        clientAuthorityFile: files.clientAuthorityFile)
    }
    let hosts = try configuration.names.map { name in
      guard let host = HostName(name) else {
        throw AggregatorError(.invalidValue, "\(name) is no name or address of a host.")
      }
      return host
    }
    return try directory.open(
      federation: configuration.federation, hosts: hosts, at: Store.systemTime() / 1000)
  }

  private func assemble(
    _ hub: Hub, _ store: Store, _ blobs: BlobStore, _ engine: Engine
  ) -> Parts {
    let book = AccessBook()
    let uploads = Uploads(in: blobs)
    let enrolment = EnrolmentService(
      store: store, book: book, hub: hub,
      deviceLifetime: Int64(configuration.deviceCertificateSeconds),
      onChange: { record in
        guard record.role == .device else { return }
        await engine.note(record.number, id: record.id, facts: Eligibility.Device(record))
      },
      onDetail: { record, info in await engine.fill(&info, of: record) })
    let health = HealthService()
    var router = CallRouter()
    health.register(on: &router)
    enrolment.register(on: &router)
    EdgeService(
      engine: engine, noteBuild: { build, identity in book.note(build: build, of: identity.id) },
      messageLimit: 4 << 20, blobLimit: configuration.blobLimit
    ).register(on: &router)
    CoordinatorService(
      engine: engine, store: store,
      drain: { [weak self] grace in await self?.beginDraining(grace) ?? Proto.DrainReply() },
      status: { [weak self] in await self?.status() ?? Proto.ServerStatus() }
    ).register(on: &router)
    BlobsService(uploads) { peer, request throws(RPCError) in
      switch request {
      case .read(let digest): try await engine.mayRead(digest, peer)
      case .upload(let manifest, let lease, let epoch):
        try await engine.mayUpload(manifest, lease: lease, epoch: epoch, peer)
      }
    }.register(on: &router)
    var newcomers: AccessControl.Newcomers?
    if hub.authority == nil {
      newcomers = { (identity) async throws(RPCError) in
        try await enrolment.admitNewcomer(identity)
      }
    }
    let access = AccessControl(
      to: router, book: book, federation: hub.federation, newcomers: newcomers)
    return Parts(
      hub: hub, store: store, blobs: blobs, uploads: uploads, engine: engine,
      enrolment: enrolment, health: health, access: access)
  }

  private func makeServer(_ parts: Parts) throws -> GRPCServer {
    var server = ServerConfiguration(
      host: configuration.host, port: configuration.port,
      material: parts.hub.server.tlsMaterial(),
      clientAuthorities: parts.hub.clientAuthorities.map(\.der))
    server.limits.connections = configuration.connectionLimit
    server.limits.connectionsPerAddress = configuration.connectionLimit
    let access = parts.access
    server.pages["/metrics"] = { [weak self] peer in
      guard await access.mayRead(peer) else {
        return PlainPage(contentType: "text/plain", body: Array("not allowed\n".utf8))
      }
      let text = await self?.metricsText() ?? ""
      return PlainPage(contentType: "text/plain; version=0.0.4", body: Array(text.utf8))
    }
    server.onDistrust = { [weak self] address, reason in
      self?.noteDistrust(address: address, reason: reason)
    }
    return try GRPCServer(server, handler: parts.access) { der in try Certificate.identify(der) }
  }

  private func noteDistrust(address: String, reason: String) {
    let now = started.duration(to: .now)
    let isLogged = distrustEntries.withLock { $0.take(of: AccessLimits().refusalEntry, at: now) }
    guard isLogged == nil else { return }
    log.withLock { $0 }?.warning(
      "A connection was refused.", ["address": address, "reason": reason])
  }

  // MARK: Chores

  /// Removes what nobody needs any more, every ten seconds.
  private static func keepHouse(_ aggregator: @autoclosure () -> Aggregator?) async {
    while !Task.isCancelled {
      do { try await Task.sleep(for: .seconds(10)) } catch { return }
      guard let parts = aggregator()?.state.withLock({ $0.parts }) else { return }
      try? await parts.uploads.maintain()
    }
  }

  /// Makes the server's certificate anew before it ends.
  private static func keepCertificates(_ aggregator: @autoclosure () -> Aggregator?) async {
    while !Task.isCancelled {
      do { try await Task.sleep(for: .seconds(3600)) } catch { return }
      guard let self = aggregator(), let parts = self.state.withLock({ $0.parts }) else { return }
      do {
        guard let hub = try parts.hub.renewed(at: Store.systemTime() / 1000) else { continue }
        try await parts.server?.reload(hub.server.tlsMaterial())
        self.state.withLock { $0.parts?.hub = hub }
      } catch {
        self.log.withLock { $0 }?.error(
          "The certificates cannot be renewed.", ["error": "\(error)"])
      }
    }
  }

  // MARK: Ending

  /// Returns when the aggregator has gone down: after ``drain(grace:)``, or a coordinator's call.
  public func run() async throws {
    await withCheckedContinuation { continuation in
      let isStopped = state.withLock { state in
        if !state.isStopped { state.waiting.append(continuation) }
        return state.isStopped
      }
      if isStopped { continuation.resume() }
    }
  }

  /// Goes down: tells devices when to come back, finishes the rounds that can be finished in time, and writes
  /// what is done of the others.
  ///
  /// - Parameter grace: how long rounds are given.
  public func drain(grace: Duration = .zero) async {
    let parts = state.withLock { state -> Parts? in
      if state.isDraining { return nil }
      state.isDraining = true
      return state.parts
    }
    guard let parts else {
      try? await run()
      return
    }
    parts.health.set(serving: false)
    await parts.engine.drain(grace: grace)
    for chore in parts.chores { chore.cancel() }
    await parts.server?.drain(within: .seconds(2))
    await parts.server?.stop()
    await parts.store.close()
    let waiting = state.withLock { state in
      state.isStopped = true
      state.parts = nil
      let waiting = state.waiting
      state.waiting = []
      return waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  private func beginDraining(_ grace: Duration) async -> Proto.DrainReply {
    guard let parts = state.withLock({ $0.parts }) else { return Proto.DrainReply() }
    let rounds = await parts.engine.roundsUnderWay
    Task { await self.drain(grace: grace) }
    return Proto.DrainReply {
      $0.connections = UInt64(parts.server?.statistics.connections ?? 0)
      $0.roundsRunning = UInt64(rounds)
    }
  }

  // MARK: Looking

  private func status() async -> Proto.ServerStatus {
    guard let parts = state.withLock({ $0.parts }) else { return Proto.ServerStatus() }
    var status = await parts.engine.status()
    let uptime = ContinuousClock.now - started
    status.version = configuration.version
    status.uptimeMs = uptime.inMilliseconds
    status.connections = UInt64(parts.server?.statistics.connections ?? 0)
    status.blobBytes = parts.blobs.usedBytes
    status.blobQuota = parts.blobs.limits.quota
    status.residentBytes = ResidentMemory.bytes
    status.certificateExpiresMs = UInt64(max(parts.hub.server.name.expires, 0)) * 1000
    return status
  }

  private func metricsText() async -> String {
    guard let parts = state.withLock({ $0.parts }) else { return "" }
    let statistics = parts.server?.statistics
    return metrics.text(with: [
      ("apus_blob_bytes", "Bytes of blobs on the disk.", Double(parts.blobs.usedBytes)),
      ("apus_resident_bytes", "Memory in use.", Double(ResidentMemory.bytes)),
      ("apus_connections", "Connections now.", Double(statistics?.connections ?? 0)),
      (
        "apus_connections_refused", "Connections beyond a limit, since the start.",
        Double(statistics?.refusedConnections ?? 0)
      ),
      (
        "apus_handshakes_failed", "Connections that ended before their handshake, since the start.",
        Double(statistics?.failedHandshakes ?? 0)
      ),
    ])
  }
}

/// How much memory the process has.
enum ResidentMemory {
  /// 0 where the system does not tell.
  static var bytes: UInt64 {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else {
      return 0
    }
    let fields = text.split(separator: " ")
    return fields.count > 1 ? (UInt64(fields[1]) ?? 0) * 4096 : 0
  }
}

extension Eligibility.Device {
  init(_ record: DeviceRecord) {
    self.init(
      number: ClientID(record.number), labels: record.labels, isEnabled: record.isEnabled,
      isRevoked: record.isRevoked)
  }
}
