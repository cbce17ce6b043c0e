// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusRounds
internal import ApusWire

/// What runs tasks: it hands out leases, takes updates, and makes models of them.
///
/// All decisions are made here, one after the other, by the machines that it hosts; long arithmetic and
/// files are on threads of their own. What is told to anybody was made durable before.
actor Engine {
  enum State: String, Sendable {
    case recovering = "RECOVERING"
    case serving = "SERVING"
    case draining = "DRAINING"
    case stopped = "STOPPED"
  }

  let store: Store
  let blobs: BlobStore
  let clock: EngineClock
  let settings: EngineSettings
  let log: EventLog
  let metrics: Metrics
  /// Where checkpoints of sums are.
  let foldDirectory: String
  nonisolated let epoch: UInt64

  var state = State.recovering
  var leases: LeaseBook
  var pace: PaceSteering
  var devices: [UInt64: LiveDevice] = [:]
  var numbers: [String: UInt64] = [:]
  /// Those that are not over.
  var tasks: [String: LiveTask] = [:]
  var waitingCount = 0
  var submissionCount = 0
  /// Submit tokens of tasks that are being created.
  var creating: Set<String> = []
  var lastTaskNumber: UInt64 = 0
  var generations: [String: UInt64] = [:]
  /// Who waits for events, by task.
  var watchers: [String: [Int: CheckedContinuation<Void, Never>]] = [:]
  var watcherCount = 0
  /// Who waits for the end of all rounds.
  var drainers: [CheckedContinuation<Void, Never>] = []

  // What is to be committed, in order: see Engine+Commits.
  var queued: [Changes] = []
  var committers: [CheckedContinuation<Void, any Error>] = []
  var followUps: [@Sendable (isolated Engine) -> Void] = []
  var isCommitting = false
  var failure: (any Error)?

  // The one timer: see Engine+Time.
  var heartbeats = ExpiryHeap<WaitingDevice>()
  var moments = ExpiryHeap<Moment>()
  var armed: Duration?
  var nextLook: Duration?
  var timer: Task<Void, Never>?

  init(
    store: Store, blobs: BlobStore, clock: EngineClock = .system, settings: EngineSettings,
    foldDirectory: String, log: EventLog, metrics: Metrics
  ) {
    self.store = store
    self.blobs = blobs
    self.clock = clock
    self.settings = settings
    self.foldDirectory = foldDirectory
    self.log = log
    self.metrics = metrics
    epoch = store.epoch
    leases = LeaseBook(epoch: store.epoch)
    pace = PaceSteering(settings.pace, start: clock.now(), isRecovering: store.epoch > 1)
  }

  var now: Duration { clock.now() }

  // MARK: Answers

  /// When a device that asks now is to come back.
  func retryWindow(for number: UInt64? = nil) -> Proto.RetryWindow {
    let window = paceWindow()
    if let number {
      devices[number]?.expectedUntil = now + window.latest + settings.pace.shortest
    }
    return Proto.RetryWindow {
      $0.minMs = window.earliest.inMilliseconds
      $0.maxMs = window.latest.inMilliseconds
    }
  }

  func paceWindow() -> PaceSteering.Window {
    let rounds = tasks.values.compactMap(\.round)
    let isUrgent = rounds.contains { round in
      round.isGathering || round.machine.openPlaceCount > 0
    }
    let goal = rounds.reduce(0) { $0 + $1.record.policy.goal }
    return pace.window(
      population: devices.count - waitingCount, goal: goal, isUrgent: isUrgent, at: now)
  }

  /// What is said when nothing but health is served.
  func unavailable() -> RPCError {
    let window = paceWindow()
    let delay = Double.random(in: window.earliest.inSeconds...window.latest.inSeconds)
    let reason = state == .recovering ? "recovering" : "draining"
    return RPCError(
      .unavailable,
      state == .recovering
        ? "The aggregator is recovering from a restart; come back later."
        : "The aggregator is going down; come back later.",
      reason: reason, retryAfter: .milliseconds(Int(delay * 1000)))
  }

  /// - Throws: `unavailable` before recovery is done, and after draining has ended.
  func requireServing(orDraining: Bool = false) throws(RPCError) {
    if failure == nil, state == .serving || (orDraining && state == .draining) { return }
    throw unavailable()
  }

  /// The number of a device that calls.
  func number(of peer: Peer) throws(RPCError) -> UInt64 {
    guard let identity = peer.identity, let number = numbers[identity.id] else {
      throw RPCError(
        .permissionDenied, "This device is not enrolled here; enrol it with an invitation.",
        reason: "unknown-device")
    }
    return number
  }

  /// The tasks in the order in which they get devices: who waited longest first.
  var tasksInTurn: [LiveTask] {
    tasks.values.sorted {
      $0.served == $1.served ? $0.record.number < $1.record.number : $0.served < $1.served
    }
  }

  /// The round that a lease is for, while it runs.
  func round(of key: RoundKey) -> (LiveTask, LiveRound)? {
    guard let task = tasks[key.task], let round = task.round, round.key == key else { return nil }
    return (task, round)
  }
}
