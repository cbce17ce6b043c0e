// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData
internal import ApusNumerics
internal import ApusWire

/// Does what a `DeviceSession` decides, and tells it what came of it.
///
/// One loop takes the events in their order. What takes time runs beside it, and comes back as an event.
actor EdgeWorker {
  let examples: ExampleTable
  let state: StateDirectory
  let policy: EdgePolicy
  let connection: any EdgeConnection
  let cache: BlobCache
  let trainer: LocalTrainer
  private let reports: AsyncStream<EdgeEvent>.Continuation
  nonisolated let inbox: AsyncStream<DeviceEvent>.Continuation
  private let events: AsyncStream<DeviceEvent>
  private let start = ContinuousClock.now
  private var session: DeviceSession

  var job = Job()
  private var contact: Task<Void, Never>?
  private var farewells: [Task<Void, Never>] = []
  private var alarm: Task<Void, Never>?
  private var gates: Task<Void, Never>?
  private var renewals: Task<Void, Never>?
  private var isGreeted = false
  /// The part of the machine's load that is ours.
  private var ownLoad = 0.0

  /// What belongs to the assignment under way.
  struct Job {
    var ticket: Ticket = 0
    var assignment = Proto.Assignment()
    var work: LocalWork?
    var model: MappedFile?
    var update: TrainedUpdate?
    /// Of the update's bytes, where this process has written them.
    var manifest: BlobManifest?
    var control = TrainingSwitch()
    var task: Task<Void, Never>?
    /// Ends when the training thread has: the next one begins only then.
    var training: Task<Void, Never>?
    /// By digest, so that what came of a chunk is not lost with its connection.
    var downloads: [BlobDigest: BlobDownload] = [:]
    var transferCount = 0
    var result: EdgeEvent.Update?
  }

  init(
    examples: ExampleTable, state: StateDirectory, policy: EdgePolicy,
    connection: any EdgeConnection, reports: AsyncStream<EdgeEvent>.Continuation,
    random: RandomStream = RandomStream(key: .random(in: .min ... .max), nonce: 0)
  ) {
    self.examples = examples
    self.state = state
    self.policy = policy
    self.connection = connection
    self.reports = reports
    cache = BlobCache(path: state.cache, limit: policy.cacheLimit)
    trainer = LocalTrainer(examples)
    (events, inbox) = AsyncStream.makeStream(of: DeviceEvent.self)
    var sessionPolicy = DeviceSession.Policy()
    sessionPolicy.staysConnected = policy.staysConnected
    sessionPolicy.roundLimit = policy.roundLimit
    session = DeviceSession(sessionPolicy, random: random)
  }

  nonisolated func stop() { inbox.yield(.stopRequested) }

  /// Works until the session is finished.
  ///
  /// - Returns: why the federation refused; nil where it did not.
  func run() async -> RPCError? {
    let saved = state.savedWork()
    if let saved {
      job.update = saved.update
      job.assignment = saved.assignment
    }
    inbox.yield(.started(saved))
    gates = Task { await self.watchGates() }
    renewals = Task { [connection] in await Self.keepRenewing(connection) }
    var ending: RPCError??
    for await event in events {
      let actions = session.handle(event, at: ContinuousClock.now - start)
      for action in actions {
        if case .finish(let error) = action { ending = .some(error) } else { perform(action) }
      }
      if ending != nil { break }
      setAlarm()
    }
    await end()
    return ending ?? nil
  }

  private func end() async {
    gates?.cancel()
    renewals?.cancel()
    alarm?.cancel()
    contact?.cancel()
    job.control.stop()
    job.task?.cancel()
    await job.training?.value
    for farewell in farewells { await farewell.value }
    inbox.finish()
  }

  /// Renews the device's certificate when it is time, whatever the device is about: training, waiting on a stream that
  /// stays open for long, or held back by its gates; without a certificate it would have to be invited anew.
  private static func keepRenewing(_ connection: any EdgeConnection) async {
    while !Task.isCancelled, let pause = connection.nextRefresh {
      guard (try? await Task.sleep(for: pause)) != nil else { return }
      await connection.refresh()
    }
  }

  private func setAlarm() {
    alarm?.cancel()
    guard let moment = session.nextWake else { return }
    let due = start + moment
    alarm = Task { [inbox] in
      guard (try? await Task.sleep(until: due, clock: .continuous)) != nil else { return }
      inbox.yield(.ticked)
    }
  }

  private func perform(_ action: DeviceAction) {
    switch action {
    case .checkIn: contact = Task { await self.checkIn() }
    case .openStream: contact = Task { await self.waitForAssignments() }
    case .closeStream:
      contact?.cancel()
      contact = nil
    case .save(let ticket, let assignment): save(ticket, assignment)
    case .prepare(let ticket, let assignment):
      job.task = Task { await self.prepare(ticket, assignment) }
    case .train(let ticket, _): train(ticket)
    case .upload(let ticket, let lease, let update):
      begin(ticket)
      job.task = Task { await self.upload(ticket, lease, update) }
    case .submit(let ticket, let lease, let update):
      job.task = Task { await self.submit(ticket, lease, update) }
    case .keepAlive(let ticket, let lease): Task { await self.keepAlive(ticket, lease) }
    case .abandon(let lease, let reason):
      farewells = farewells.suffix(3)
      farewells.append(Task { await self.abandon(lease, reason) })
    case .cancel(let ticket):
      guard job.ticket == ticket else { return }
      job.control.stop()
      job.task?.cancel()
      job.task = nil
    case .forget: state.forget()
    case .report(let event): report(event)
    case .finish: break
    }
  }

  /// The job of a ticket; another ticket's things go.
  func begin(_ ticket: Ticket) {
    guard job.ticket != ticket else { return }
    var next = Job()
    next.ticket = ticket
    // What an earlier process left belongs to the first ticket.
    if job.ticket == 0 { (next.update, next.assignment) = (job.update, job.assignment) }
    next.training = job.training
    job = next
  }

  private func save(_ ticket: Ticket, _ assignment: Proto.Assignment) {
    if job.ticket != ticket { begin(ticket) }
    if job.assignment != assignment, !job.assignment.isSameWork(as: assignment) { job.update = nil }
    job.assignment = assignment
    do { try state.save(assignment, update: job.update) } catch {
      inbox.yield(.refused(ticket, reason: "failed"))
    }
  }

  // MARK: Contact

  private var checkInRequest: Proto.CheckInRequest {
    Proto.CheckInRequest {
      $0.inputShape = examples.inputShape.dimensions.map { UInt64($0) }
      var bucket: UInt64 = 1
      while bucket < UInt64(examples.count) { bucket *= 2 }
      $0.exampleCountBucket = bucket
      $0.memoryLimit = UInt64(policy.memoryLimit ?? 0)
      $0.cached = cache.digests().prefix(16).map(\.bytes)
    }
  }

  /// Says who we are, once.
  private func greet() async throws(RPCError) {
    await connection.refresh()
    guard !isGreeted else { return }
    let request = Proto.HelloRequest {
      $0.versionMin = 1
      $0.versionMax = 1
      $0.features = ["zstd"]
      $0.build = "apus"
    }
    do throws(RPCError) {
      _ = try await connection.channel.call(EdgeMethods.hello, request, timeout: .seconds(20))
    } catch {
      guard error.code == .failedPrecondition else { throw error }
      // The versions that the federation speaks are not ours: asking again is in vain.
      throw RPCError(.unimplemented, error.message, reason: error.reason)
    }
    isGreeted = true
  }

  private func checkIn() async {
    do throws(RPCError) {
      try await greet()
      let reply = try await connection.channel.call(
        EdgeMethods.checkIn, checkInRequest, timeout: .seconds(30))
      inbox.yield(.checkedIn(reply))
    } catch { inbox.yield(.contactLost(error)) }
  }

  private func waitForAssignments() async {
    do throws(RPCError) {
      try await greet()
      let stream = try await connection.channel.stream(
        EdgeMethods.waitAssignment, checkInRequest, timeout: nil)
      let ending = await withTaskCancellationHandler {
        await self.hear(stream)
      } onCancel: {
        stream.cancel()
      }
      try ending.get()
      if !Task.isCancelled { inbox.yield(.contactLost(nil)) }
    } catch {
      if !Task.isCancelled { inbox.yield(.contactLost(error)) }
    }
  }

  private func hear(_ stream: ReplyStream<Proto.AssignmentEvent>) async -> Result<Void, RPCError> {
    do throws(RPCError) {
      while let event = try await stream.next() {
        if Task.isCancelled { break }
        inbox.yield(.heard(event))
      }
      return .success(())
    } catch { return .failure(error) }
  }

  private func keepAlive(_ ticket: Ticket, _ lease: LeaseName) async {
    let request = Proto.KeepAliveRequest {
      $0.leaseId = lease.id
      $0.epoch = lease.epoch
      $0.progress = UInt64(job.control.stepCount + job.transferCount)
    }
    do throws(RPCError) {
      let reply = try await connection.channel.call(
        EdgeMethods.keepAlive, request, timeout: .seconds(15))
      inbox.yield(.keptAlive(ticket, reply))
    } catch { inbox.yield(.keepAliveFailed(ticket, error)) }
  }

  private func abandon(_ lease: LeaseName, _ reason: String) async {
    let request = Proto.AbandonRequest {
      $0.leaseId = lease.id
      $0.epoch = lease.epoch
      $0.reason = reason
    }
    // A lease that is not given back ends by itself.
    _ = try? await connection.channel.call(EdgeMethods.abandon, request, timeout: .seconds(2))
  }

  // MARK: Gates and reports

  private func watchGates() async {
    while !Task.isCancelled {
      let policy = policy
      let context = GateContext(ownLoad: ownLoad, minuteOfDay: minuteOfDay())
      // A gate may ask another program.
      let reasons =
        policy.gates.isEmpty
        ? [] : await TrainingThread.run(niceness: 0) { policy.reasons(in: context) }
      inbox.yield(.gatesRead(reasons))
      if policy.gates.isEmpty { return }
      guard (try? await Task.sleep(for: policy.gateInterval)) != nil else { return }
      // As the load average itself: exponentially, over a minute.
      let decay = Self.decay(policy.gateInterval)
      let isTraining = job.training != nil && !job.control.isStopped && job.update == nil
      ownLoad = ownLoad * decay + (isTraining ? 1 - decay : 0)
    }
  }

  /// What is left of a part of the load average of one minute: e^(−t/60 s), as the kernel has it.
  private static func decay(_ interval: Duration) -> Double {
    // Five steps of the kernel's fixed factor for 5 s are exact enough, and need no mathematics library.
    let steps = max(interval.seconds / 5, 0)
    var factor = 1.0
    for _ in 0..<Int(steps.rounded(.up)) { factor *= 0.9200444 }
    return factor
  }

  func report(_ event: EdgeEvent) {
    reports.yield(event)
    switch event {
    case .submitted(let part, _, let verdict, let reason):
      note(part, verdict.rawValue, reason)
    case .abandoned(let part, let reason): note(part, "abandoned", reason)
    case .leaseLost(let part, let reason): note(part, "lost", reason)
    default: break
    }
  }

  private func note(_ part: EdgeEvent.Part, _ outcome: String, _ reason: String) {
    state.note(
      RoundNote(
        time: SystemClock.secondsSince1970, task: part.task, round: part.round, outcome: outcome,
        reason: reason, weight: job.result?.weight ?? job.update?.update.weight ?? 0,
        seconds: job.result?.seconds ?? 0))
  }
}
