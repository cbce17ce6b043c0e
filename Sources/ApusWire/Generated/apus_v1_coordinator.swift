// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// Made from protocols/apus/v1/coordinator.proto by scripts/protocols; not to be edited.
// swift-format-ignore-file

internal import ApusProtocols

extension Proto {
  package struct AggregationRule: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let unspecified = AggregationRule(rawValue: 0)
    /// By the updates' weights.
    package static let weightedMean = AggregationRule(rawValue: 1)
    /// All alike.
    package static let uniformMean = AggregationRule(rawValue: 2)
  }
}

extension Proto {
  /// Everything that is asked of the aggregator for a task.
  package struct TaskSpec: Hashable, Sendable {
    /// At most 100 bytes: letters, digits, and - _ . between them.
    package var name: String = ""
    package var plan: Proto.Plan? = nil
    package var aggregation: Proto.AggregationRule = Proto.AggregationRule(rawValue: 0)
    package var cohort: Proto.Cohort? = nil
    /// At least 1.
    package var rounds: UInt64 = 0
    package var stop: Proto.StopRule? = nil
    package var evaluation: Proto.Evaluation? = nil
    /// Of the first parameters, cohorts and clients' batches.
    package var seed: UInt64 = 0
    /// The first parameters as a blob (FLOAT32, in the graph's order); empty for parameters drawn from the seed.
    package var initialModel: [UInt8] = []
    /// Frozen parameters as a blob; empty where there are none, or for parameters drawn with seed 0.
    package var frozenModel: [UInt8] = []
    /// Only devices with all of these labels.
    package var labels: [String: String] = [:]
    /// Bounds of updates: see UpdateBounds in edge.proto.
    package var coordinateBound: Float = 0
    package var normBound: Double = 0
    package var weightBound: UInt64 = 0
    /// The recipe that this was made of, for people; at most 1 MiB.
    package var recipe: String = ""

    package init() {}
  }
}

extension Proto {
  package struct Cohort: Hashable, Sendable {
    /// Updates wanted a round, at least 1; or, where share is above 0, that share of the enrolled devices that fit,
    /// at least 1.
    package var size: UInt64 = 0
    package var share: Double = 0
    /// Invited for each one wanted, at least 1; 1.3 where nothing is said (0).
    package var overSelection: Double = 0
    /// The least share of the cohort without which the round is abandoned, in 0...1.
    package var quorum: Double = 0
    /// A round begins when so many devices are there, and no smaller cohort is ever published.
    package var minimum: UInt64 = 0
    /// Milliseconds that devices have for a round; 600,000 where nothing is said (0).
    package var reportMs: UInt64 = 0
    /// Rounds of this task that one device may be counted in; 0 for all.
    package var participationLimit: UInt64 = 0
    /// Rounds that one device sits out after one that counted it.
    package var restRounds: UInt64 = 0
    /// Abandoned rounds in a row after which the task fails; 10 where nothing is said (0).
    package var abandonmentLimit: UInt64 = 0
    package var late: Proto.LatePolicy = Proto.LatePolicy(rawValue: 0)

    package init() {}
  }
}

extension Proto {
  package struct LatePolicy: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    /// Updates after the deadline are answered NOT_NEEDED.
    package static let discard = LatePolicy(rawValue: 0)
    /// As long as the quorum is missed, an update after the deadline is still counted, for one more deadline.
    package static let extend = LatePolicy(rawValue: 1)
  }
}

extension Proto {
  package struct StopRule: Hashable, Sendable {
    /// The accuracy that ends the task; 0 for none.
    package var accuracy: Double = 0
    /// Rounds without a better accuracy that end it; 0 for none.
    package var patience: UInt64 = 0

    package init() {}
  }
}

extension Proto {
  /// How the aggregator measures a model before it is published.
  package struct Evaluation: Hashable, Sendable {
    /// After every so many rounds, and after the last; 0 for never.
    package var every: UInt64 = 0
    /// A blob with examples, uploaded before; empty for no measuring.
    package var examples: [UInt8] = []
    /// inputs (FLOAT32, INT32 or UINT8, example by example), targets (INT32 classes or FLOAT32 values).
    package var tensors: [Proto.Tensor] = []
    /// For UINT8 inputs: a feature is byte x scale + offset.
    package var scale: Float = 0
    package var offset: Float = 0

    package init() {}
  }
}

extension Proto {
  package struct TaskState: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let unspecified = TaskState(rawValue: 0)
    package static let created = TaskState(rawValue: 1)
    package static let running = TaskState(rawValue: 2)
    package static let paused = TaskState(rawValue: 3)
    /// Terminal from here on.
    package static let completed = TaskState(rawValue: 4)
    package static let cancelled = TaskState(rawValue: 5)
    package static let failed = TaskState(rawValue: 6)
  }
}

extension Proto {
  package struct RoundState: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let unspecified = RoundState(rawValue: 0)
    package static let planned = RoundState(rawValue: 1)
    package static let selecting = RoundState(rawValue: 2)
    package static let collecting = RoundState(rawValue: 3)
    package static let folding = RoundState(rawValue: 4)
    package static let evaluating = RoundState(rawValue: 5)
    /// Terminal from here on.
    package static let published = RoundState(rawValue: 6)
    package static let abandoned = RoundState(rawValue: 7)
    package static let failed = RoundState(rawValue: 8)
  }
}

extension Proto {
  package struct CreateTaskRequest: Hashable, Sendable {
    package var spec: Proto.TaskSpec? = nil
    /// At most 100 bytes; the same token is the same task. Another spec under it: ALREADY_EXISTS.
    package var submitToken: String = ""
    /// Whether it starts at once.
    package var start: Bool = false

    package init() {}
  }
}

extension Proto {
  package struct TaskRef: Hashable, Sendable {
    /// The task's id, or its name where no other task has it.
    package var task: String = ""

    package init() {}
  }
}

extension Proto {
  package struct TaskInfo: Hashable, Sendable {
    /// 32 hexadecimal digits.
    package var taskId: String = ""
    package var name: String = ""
    package var state: Proto.TaskState = Proto.TaskState(rawValue: 0)
    package var roundsPublished: UInt64 = 0
    package var roundsWanted: UInt64 = 0
    package var roundsAbandoned: UInt64 = 0
    /// Milliseconds since 1970 (UTC).
    package var createdMs: UInt64 = 0
    package var endedMs: UInt64 = 0
    /// The newest version; absent before the first.
    package var model: Proto.ModelInfo? = nil
    /// The round that runs.
    package var round: Proto.RoundInfo? = nil
    /// Why it failed, for people.
    package var problem: String = ""
    /// Of the newest event.
    package var eventSequence: UInt64 = 0
    package var parameterCount: UInt64 = 0
    package var recipe: String = ""
    package var bestAccuracy: Double = 0

    package init() {}
  }
}

extension Proto {
  package struct ListTasksRequest: Hashable, Sendable {
    /// Empty for all.
    package var states: [Proto.TaskState] = []

    package init() {}
  }
}

extension Proto {
  package struct ListTasksReply: Hashable, Sendable {
    package var tasks: [Proto.TaskInfo] = []

    package init() {}
  }
}

extension Proto {
  package struct WatchTaskRequest: Hashable, Sendable {
    package var task: String = ""
    /// The last event that the caller has; 0 for all.
    package var afterSequence: UInt64 = 0

    package init() {}
  }
}

extension Proto {
  package struct TaskEvent: Hashable, Sendable {
    /// Counted from 1 within the task, without gaps.
    package var sequence: UInt64 = 0
    package var timeMs: UInt64 = 0
    package var state: Proto.TaskState = Proto.TaskState(rawValue: 0)
    /// What the event is about, where it is about a round.
    package var round: Proto.RoundInfo? = nil
    /// Where a version was published.
    package var model: Proto.ModelInfo? = nil
    /// For people: a constant sentence.
    package var message: String = ""

    package init() {}
  }
}

extension Proto {
  package struct RoundRef: Hashable, Sendable {
    package var task: String = ""
    /// Attempts of one number share it; the newest is meant.
    package var round: UInt64 = 0

    package init() {}
  }
}

extension Proto {
  package struct ListRoundsRequest: Hashable, Sendable {
    package var task: String = ""

    package init() {}
  }
}

extension Proto {
  package struct ListRoundsReply: Hashable, Sendable {
    package var rounds: [Proto.RoundInfo] = []

    package init() {}
  }
}

extension Proto {
  package struct RoundInfo: Hashable, Sendable {
    package var taskId: String = ""
    /// Counted from 0.
    package var round: UInt64 = 0
    /// Counted from 1: an abandoned round is tried again.
    package var attempt: UInt64 = 0
    package var state: Proto.RoundState = Proto.RoundState(rawValue: 0)
    package var invited: UInt64 = 0
    /// Updates that are durable; when the round is published, those that are counted.
    package var accepted: UInt64 = 0
    package var rejected: UInt64 = 0
    package var dropped: UInt64 = 0
    package var notNeeded: UInt64 = 0
    package var totalWeight: UInt64 = 0
    /// Bytes of models and plans sent and of updates received.
    package var bytesDown: UInt64 = 0
    package var bytesUp: UInt64 = 0
    package var startedMs: UInt64 = 0
    package var endedMs: UInt64 = 0
    /// Seconds from the start of the round to the end of selection, of collecting, of folding, of evaluating, of
    /// publishing: each phase alone.
    package var selectSeconds: Double = 0
    package var collectSeconds: Double = 0
    package var foldSeconds: Double = 0
    package var evaluateSeconds: Double = 0
    package var publishSeconds: Double = 0
    /// accuracy, loss (of the evaluation), training_loss (the devices' mean).
    package var metrics: [Proto.Metric] = []
    /// A code where it was abandoned: too-few-clients, quorum-missed, cancelled, ...
    package var abandonment: String = ""
    package var rejections: [String: UInt64] = [:]
    /// Devices that gave their work back, by the code that AbandonRequest names; other where it names none.
    package var givenBack: [String: UInt64] = [:]

    package init() {}
  }
}

extension Proto {
  package struct ListModelsRequest: Hashable, Sendable {
    package var task: String = ""

    package init() {}
  }
}

extension Proto {
  package struct ListModelsReply: Hashable, Sendable {
    package var models: [Proto.ModelInfo] = []

    package init() {}
  }
}

extension Proto {
  package struct ModelRef: Hashable, Sendable {
    package var task: String = ""
    /// 0 for the newest.
    package var version: UInt64 = 0

    package init() {}
  }
}

extension Proto {
  /// A version of a task's model, and where it comes from.
  package struct ModelInfo: Hashable, Sendable {
    package var taskId: String = ""
    /// Counted from 1, which is the initial model.
    package var version: UInt64 = 0
    /// The round that made it; meaningless for the initial model and for a rollback.
    package var round: UInt64 = 0
    /// The version it was made of; 0 for the initial model.
    package var parent: UInt64 = 0
    /// FLOAT32 in the graph's order.
    package var blob: Proto.BlobManifest? = nil
    /// SHA-256 of the numbers as little-endian FLOAT32, as in a simulation's summary.
    package var modelDigest: [UInt8] = []
    package var tensors: [Proto.Tensor] = []
    package var createdMs: UInt64 = 0
    package var metrics: [Proto.Metric] = []
    /// How many updates it was made of, and SHA-256 over their blobs' digests, sorted.
    package var contributionCount: UInt64 = 0
    package var contributionsDigest: [UInt8] = []
    /// Where it is a rollback: the version it is equal to.
    package var rollbackOf: UInt64 = 0

    package init() {}
  }
}

extension Proto {
  package struct CreateInvitationRequest: Hashable, Sendable {
    /// At least 1; 1 where nothing is said (0).
    package var uses: UInt32 = 0
    /// Milliseconds; 86,400,000 where nothing is said (0).
    package var lifetimeMs: UInt64 = 0
    /// device, operator or auditor; device where nothing is said.
    package var role: String = ""
    /// Given to every device that joins with it.
    package var labels: [String: String] = [:]

    package init() {}
  }
}

extension Proto {
  package struct Invitation: Hashable, Sendable {
    /// apus://HOST:PORT/?token=...&ca=sha256:...
    package var url: String = ""
    package var expiresMs: UInt64 = 0
    package var uses: UInt32 = 0
    package var role: String = ""

    package init() {}
  }
}

extension Proto {
  package struct DeviceRef: Hashable, Sendable {
    /// Its id, its number, or its name where no other device has it.
    package var device: String = ""

    package init() {}
  }
}

extension Proto {
  package struct SetDeviceEnabledRequest: Hashable, Sendable {
    package var device: String = ""
    package var enabled: Bool = false

    package init() {}
  }
}

extension Proto {
  package struct ListDevicesRequest: Hashable, Sendable {
    package init() {}
  }
}

extension Proto {
  package struct ListDevicesReply: Hashable, Sendable {
    package var devices: [Proto.DeviceInfo] = []

    package init() {}
  }
}

extension Proto {
  package struct DeviceInfo: Hashable, Sendable {
    package var deviceId: String = ""
    package var deviceNumber: UInt64 = 0
    package var name: String = ""
    package var labels: [String: String] = [:]
    package var role: String = ""
    package var enabled: Bool = false
    package var revoked: Bool = false
    /// Whether it waits on an open stream now.
    package var connected: Bool = false
    package var enrolledMs: UInt64 = 0
    package var lastSeenMs: UInt64 = 0
    package var certificateExpiresMs: UInt64 = 0
    package var roundsCounted: UInt64 = 0
    package var updatesRejected: UInt64 = 0
    package var leasesLost: UInt64 = 0
    package var build: String = ""

    package init() {}
  }
}

extension Proto {
  package struct GetAuditLogRequest: Hashable, Sendable {
    package var afterSequence: UInt64 = 0
    /// At most so many; 0 for all.
    package var limit: UInt64 = 0

    package init() {}
  }
}

extension Proto {
  /// One line of the log. hash = SHA-256(previous entry's hash, 32 zero bytes before the first entry; then sequence
  /// and time_ms as 8 bytes little-endian each; then actor, action, subject and detail, each as its length (8 bytes,
  /// little-endian) and its bytes).
  package struct AuditEntry: Hashable, Sendable {
    package var sequence: UInt64 = 0
    package var timeMs: UInt64 = 0
    /// The caller's identity, or aggregator.
    package var actor: String = ""
    /// For example device.enrolled, model.published.
    package var action: String = ""
    /// What it was done to.
    package var subject: String = ""
    /// JSON; no secrets.
    package var detail: String = ""
    package var hash: [UInt8] = []

    package init() {}
  }
}

extension Proto {
  package struct VerifyAuditChainRequest: Hashable, Sendable {
    package init() {}
  }
}

extension Proto {
  package struct VerifyAuditChainReply: Hashable, Sendable {
    package var intact: Bool = false
    package var entries: UInt64 = 0
    /// The first entry that does not fit; 0 where all do.
    package var firstBroken: UInt64 = 0
    /// Of the newest entry.
    package var head: [UInt8] = []

    package init() {}
  }
}

extension Proto {
  package struct DrainRequest: Hashable, Sendable {
    /// Milliseconds that running rounds are given to finish; 0: they are checkpointed at once.
    package var graceMs: UInt64 = 0

    package init() {}
  }
}

extension Proto {
  package struct DrainReply: Hashable, Sendable {
    package var connections: UInt64 = 0
    package var roundsRunning: UInt64 = 0

    package init() {}
  }
}

extension Proto {
  package struct GetServerStatusRequest: Hashable, Sendable {
    package init() {}
  }
}

extension Proto {
  package struct ServerStatus: Hashable, Sendable {
    package var version: String = ""
    package var serverEpoch: UInt64 = 0
    /// RECOVERING, SERVING or DRAINING.
    package var state: String = ""
    package var uptimeMs: UInt64 = 0
    package var connections: UInt64 = 0
    package var waitingDevices: UInt64 = 0
    package var enrolledDevices: UInt64 = 0
    package var runningTasks: UInt64 = 0
    package var leases: UInt64 = 0
    package var blobBytes: UInt64 = 0
    package var blobQuota: UInt64 = 0
    package var residentBytes: UInt64 = 0
    /// Milliseconds since 1970 (UTC) when the server's own certificate ends.
    package var certificateExpiresMs: UInt64 = 0
    package var serverTimeMs: UInt64 = 0

    package init() {}
  }
}

extension Proto.TaskSpec: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__TaskSpec>) { apus__v1__task_spec__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__TaskSpec>, _ arena: MessageArena) {
    c.pointee.name = arena.string(name)
    if let value = plan {
      c.pointee.plan = arena.message(value)
    }
    c.pointee.aggregation = .init(rawValue: UInt32(bitPattern: aggregation.rawValue))
    if let value = cohort {
      c.pointee.cohort = arena.message(value)
    }
    c.pointee.rounds = rounds
    if let value = stop {
      c.pointee.stop = arena.message(value)
    }
    if let value = evaluation {
      c.pointee.evaluation = arena.message(value)
    }
    c.pointee.seed = seed
    c.pointee.initial_model = arena.bytes(initialModel)
    c.pointee.frozen_model = arena.bytes(frozenModel)
    (c.pointee.n_labels, c.pointee.labels) = arena.entries(
      labels, apus__v1__task_spec__labels_entry__init) { (c: UnsafeMutablePointer<Apus__V1__TaskSpec__LabelsEntry>, pair) in
      c.pointee.key = arena.string(pair.key)
      c.pointee.value = arena.string(pair.value)
    }
    c.pointee.coordinate_bound = coordinateBound
    c.pointee.norm_bound = normBound
    c.pointee.weight_bound = weightBound
    c.pointee.recipe = arena.string(recipe)
  }

  init(copying c: UnsafePointer<Apus__V1__TaskSpec>) throws(WireError) {
    name = try copied(string: c.pointee.name)
    plan = try copied(message: c.pointee.plan)
    aggregation = Proto.AggregationRule(rawValue: Int32(bitPattern: c.pointee.aggregation.rawValue))
    cohort = try copied(message: c.pointee.cohort)
    rounds = c.pointee.rounds
    stop = try copied(message: c.pointee.stop)
    evaluation = try copied(message: c.pointee.evaluation)
    seed = c.pointee.seed
    initialModel = copied(bytes: c.pointee.initial_model)
    frozenModel = copied(bytes: c.pointee.frozen_model)
    labels = try copied(c.pointee.n_labels, c.pointee.labels) { (e) throws(WireError) in (try copied(string: e.pointee.key), try copied(string: e.pointee.value)) }
    coordinateBound = c.pointee.coordinate_bound
    normBound = c.pointee.norm_bound
    weightBound = c.pointee.weight_bound
    recipe = try copied(string: c.pointee.recipe)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Cohort: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Cohort>) { apus__v1__cohort__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Cohort>, _ arena: MessageArena) {
    c.pointee.size = size
    c.pointee.share = share
    c.pointee.over_selection = overSelection
    c.pointee.quorum = quorum
    c.pointee.minimum = minimum
    c.pointee.report_ms = reportMs
    c.pointee.participation_limit = participationLimit
    c.pointee.rest_rounds = restRounds
    c.pointee.abandonment_limit = abandonmentLimit
    c.pointee.late = .init(rawValue: UInt32(bitPattern: late.rawValue))
  }

  init(copying c: UnsafePointer<Apus__V1__Cohort>) throws(WireError) {
    size = c.pointee.size
    share = c.pointee.share
    overSelection = c.pointee.over_selection
    quorum = c.pointee.quorum
    minimum = c.pointee.minimum
    reportMs = c.pointee.report_ms
    participationLimit = c.pointee.participation_limit
    restRounds = c.pointee.rest_rounds
    abandonmentLimit = c.pointee.abandonment_limit
    late = Proto.LatePolicy(rawValue: Int32(bitPattern: c.pointee.late.rawValue))
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.StopRule: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__StopRule>) { apus__v1__stop_rule__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__StopRule>, _ arena: MessageArena) {
    c.pointee.accuracy = accuracy
    c.pointee.patience = patience
  }

  init(copying c: UnsafePointer<Apus__V1__StopRule>) throws(WireError) {
    accuracy = c.pointee.accuracy
    patience = c.pointee.patience
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Evaluation: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Evaluation>) { apus__v1__evaluation__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Evaluation>, _ arena: MessageArena) {
    c.pointee.every = every
    c.pointee.examples = arena.bytes(examples)
    (c.pointee.n_tensors, c.pointee.tensors) = arena.messages(tensors)
    c.pointee.scale = scale
    c.pointee.offset = offset
  }

  init(copying c: UnsafePointer<Apus__V1__Evaluation>) throws(WireError) {
    every = c.pointee.every
    examples = copied(bytes: c.pointee.examples)
    tensors = try copied(messages: c.pointee.n_tensors, c.pointee.tensors)
    scale = c.pointee.scale
    offset = c.pointee.offset
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.CreateTaskRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__CreateTaskRequest>) { apus__v1__create_task_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__CreateTaskRequest>, _ arena: MessageArena) {
    if let value = spec {
      c.pointee.spec = arena.message(value)
    }
    c.pointee.submit_token = arena.string(submitToken)
    c.pointee.start = start ? 1 : 0
  }

  init(copying c: UnsafePointer<Apus__V1__CreateTaskRequest>) throws(WireError) {
    spec = try copied(message: c.pointee.spec)
    submitToken = try copied(string: c.pointee.submit_token)
    start = c.pointee.start != 0
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.TaskRef: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__TaskRef>) { apus__v1__task_ref__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__TaskRef>, _ arena: MessageArena) {
    c.pointee.task = arena.string(task)
  }

  init(copying c: UnsafePointer<Apus__V1__TaskRef>) throws(WireError) {
    task = try copied(string: c.pointee.task)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.TaskInfo: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__TaskInfo>) { apus__v1__task_info__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__TaskInfo>, _ arena: MessageArena) {
    c.pointee.task_id = arena.string(taskId)
    c.pointee.name = arena.string(name)
    c.pointee.state = .init(rawValue: UInt32(bitPattern: state.rawValue))
    c.pointee.rounds_published = roundsPublished
    c.pointee.rounds_wanted = roundsWanted
    c.pointee.rounds_abandoned = roundsAbandoned
    c.pointee.created_ms = createdMs
    c.pointee.ended_ms = endedMs
    if let value = model {
      c.pointee.model = arena.message(value)
    }
    if let value = round {
      c.pointee.round = arena.message(value)
    }
    c.pointee.problem = arena.string(problem)
    c.pointee.event_sequence = eventSequence
    c.pointee.parameter_count = parameterCount
    c.pointee.recipe = arena.string(recipe)
    c.pointee.best_accuracy = bestAccuracy
  }

  init(copying c: UnsafePointer<Apus__V1__TaskInfo>) throws(WireError) {
    taskId = try copied(string: c.pointee.task_id)
    name = try copied(string: c.pointee.name)
    state = Proto.TaskState(rawValue: Int32(bitPattern: c.pointee.state.rawValue))
    roundsPublished = c.pointee.rounds_published
    roundsWanted = c.pointee.rounds_wanted
    roundsAbandoned = c.pointee.rounds_abandoned
    createdMs = c.pointee.created_ms
    endedMs = c.pointee.ended_ms
    model = try copied(message: c.pointee.model)
    round = try copied(message: c.pointee.round)
    problem = try copied(string: c.pointee.problem)
    eventSequence = c.pointee.event_sequence
    parameterCount = c.pointee.parameter_count
    recipe = try copied(string: c.pointee.recipe)
    bestAccuracy = c.pointee.best_accuracy
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.ListTasksRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__ListTasksRequest>) { apus__v1__list_tasks_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__ListTasksRequest>, _ arena: MessageArena) {
    (c.pointee.n_states, c.pointee.states) = arena.numbers(states.map { .init(rawValue: UInt32(bitPattern: $0.rawValue)) })
  }

  init(copying c: UnsafePointer<Apus__V1__ListTasksRequest>) throws(WireError) {
    states = copied(numbers: c.pointee.n_states, c.pointee.states).map { .init(rawValue: Int32(bitPattern: $0.rawValue)) }
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.ListTasksReply: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__ListTasksReply>) { apus__v1__list_tasks_reply__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__ListTasksReply>, _ arena: MessageArena) {
    (c.pointee.n_tasks, c.pointee.tasks) = arena.messages(tasks)
  }

  init(copying c: UnsafePointer<Apus__V1__ListTasksReply>) throws(WireError) {
    tasks = try copied(messages: c.pointee.n_tasks, c.pointee.tasks)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.WatchTaskRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__WatchTaskRequest>) { apus__v1__watch_task_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__WatchTaskRequest>, _ arena: MessageArena) {
    c.pointee.task = arena.string(task)
    c.pointee.after_sequence = afterSequence
  }

  init(copying c: UnsafePointer<Apus__V1__WatchTaskRequest>) throws(WireError) {
    task = try copied(string: c.pointee.task)
    afterSequence = c.pointee.after_sequence
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.TaskEvent: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__TaskEvent>) { apus__v1__task_event__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__TaskEvent>, _ arena: MessageArena) {
    c.pointee.sequence = sequence
    c.pointee.time_ms = timeMs
    c.pointee.state = .init(rawValue: UInt32(bitPattern: state.rawValue))
    if let value = round {
      c.pointee.round = arena.message(value)
    }
    if let value = model {
      c.pointee.model = arena.message(value)
    }
    c.pointee.message = arena.string(message)
  }

  init(copying c: UnsafePointer<Apus__V1__TaskEvent>) throws(WireError) {
    sequence = c.pointee.sequence
    timeMs = c.pointee.time_ms
    state = Proto.TaskState(rawValue: Int32(bitPattern: c.pointee.state.rawValue))
    round = try copied(message: c.pointee.round)
    model = try copied(message: c.pointee.model)
    message = try copied(string: c.pointee.message)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.RoundRef: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__RoundRef>) { apus__v1__round_ref__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__RoundRef>, _ arena: MessageArena) {
    c.pointee.task = arena.string(task)
    c.pointee.round = round
  }

  init(copying c: UnsafePointer<Apus__V1__RoundRef>) throws(WireError) {
    task = try copied(string: c.pointee.task)
    round = c.pointee.round
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.ListRoundsRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__ListRoundsRequest>) { apus__v1__list_rounds_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__ListRoundsRequest>, _ arena: MessageArena) {
    c.pointee.task = arena.string(task)
  }

  init(copying c: UnsafePointer<Apus__V1__ListRoundsRequest>) throws(WireError) {
    task = try copied(string: c.pointee.task)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.ListRoundsReply: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__ListRoundsReply>) { apus__v1__list_rounds_reply__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__ListRoundsReply>, _ arena: MessageArena) {
    (c.pointee.n_rounds, c.pointee.rounds) = arena.messages(rounds)
  }

  init(copying c: UnsafePointer<Apus__V1__ListRoundsReply>) throws(WireError) {
    rounds = try copied(messages: c.pointee.n_rounds, c.pointee.rounds)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.RoundInfo: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__RoundInfo>) { apus__v1__round_info__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__RoundInfo>, _ arena: MessageArena) {
    c.pointee.task_id = arena.string(taskId)
    c.pointee.round = round
    c.pointee.attempt = attempt
    c.pointee.state = .init(rawValue: UInt32(bitPattern: state.rawValue))
    c.pointee.invited = invited
    c.pointee.accepted = accepted
    c.pointee.rejected = rejected
    c.pointee.dropped = dropped
    c.pointee.not_needed = notNeeded
    c.pointee.total_weight = totalWeight
    c.pointee.bytes_down = bytesDown
    c.pointee.bytes_up = bytesUp
    c.pointee.started_ms = startedMs
    c.pointee.ended_ms = endedMs
    c.pointee.select_seconds = selectSeconds
    c.pointee.collect_seconds = collectSeconds
    c.pointee.fold_seconds = foldSeconds
    c.pointee.evaluate_seconds = evaluateSeconds
    c.pointee.publish_seconds = publishSeconds
    (c.pointee.n_metrics, c.pointee.metrics) = arena.messages(metrics)
    c.pointee.abandonment = arena.string(abandonment)
    (c.pointee.n_rejections, c.pointee.rejections) = arena.entries(
      rejections, apus__v1__round_info__rejections_entry__init) { (c: UnsafeMutablePointer<Apus__V1__RoundInfo__RejectionsEntry>, pair) in
      c.pointee.key = arena.string(pair.key)
      c.pointee.value = pair.value
    }
    (c.pointee.n_given_back, c.pointee.given_back) = arena.entries(
      givenBack, apus__v1__round_info__given_back_entry__init) { (c: UnsafeMutablePointer<Apus__V1__RoundInfo__GivenBackEntry>, pair) in
      c.pointee.key = arena.string(pair.key)
      c.pointee.value = pair.value
    }
  }

  init(copying c: UnsafePointer<Apus__V1__RoundInfo>) throws(WireError) {
    taskId = try copied(string: c.pointee.task_id)
    round = c.pointee.round
    attempt = c.pointee.attempt
    state = Proto.RoundState(rawValue: Int32(bitPattern: c.pointee.state.rawValue))
    invited = c.pointee.invited
    accepted = c.pointee.accepted
    rejected = c.pointee.rejected
    dropped = c.pointee.dropped
    notNeeded = c.pointee.not_needed
    totalWeight = c.pointee.total_weight
    bytesDown = c.pointee.bytes_down
    bytesUp = c.pointee.bytes_up
    startedMs = c.pointee.started_ms
    endedMs = c.pointee.ended_ms
    selectSeconds = c.pointee.select_seconds
    collectSeconds = c.pointee.collect_seconds
    foldSeconds = c.pointee.fold_seconds
    evaluateSeconds = c.pointee.evaluate_seconds
    publishSeconds = c.pointee.publish_seconds
    metrics = try copied(messages: c.pointee.n_metrics, c.pointee.metrics)
    abandonment = try copied(string: c.pointee.abandonment)
    rejections = try copied(c.pointee.n_rejections, c.pointee.rejections) { (e) throws(WireError) in (try copied(string: e.pointee.key), e.pointee.value) }
    givenBack = try copied(c.pointee.n_given_back, c.pointee.given_back) { (e) throws(WireError) in (try copied(string: e.pointee.key), e.pointee.value) }
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.ListModelsRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__ListModelsRequest>) { apus__v1__list_models_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__ListModelsRequest>, _ arena: MessageArena) {
    c.pointee.task = arena.string(task)
  }

  init(copying c: UnsafePointer<Apus__V1__ListModelsRequest>) throws(WireError) {
    task = try copied(string: c.pointee.task)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.ListModelsReply: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__ListModelsReply>) { apus__v1__list_models_reply__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__ListModelsReply>, _ arena: MessageArena) {
    (c.pointee.n_models, c.pointee.models) = arena.messages(models)
  }

  init(copying c: UnsafePointer<Apus__V1__ListModelsReply>) throws(WireError) {
    models = try copied(messages: c.pointee.n_models, c.pointee.models)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.ModelRef: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__ModelRef>) { apus__v1__model_ref__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__ModelRef>, _ arena: MessageArena) {
    c.pointee.task = arena.string(task)
    c.pointee.version = version
  }

  init(copying c: UnsafePointer<Apus__V1__ModelRef>) throws(WireError) {
    task = try copied(string: c.pointee.task)
    version = c.pointee.version
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.ModelInfo: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__ModelInfo>) { apus__v1__model_info__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__ModelInfo>, _ arena: MessageArena) {
    c.pointee.task_id = arena.string(taskId)
    c.pointee.version = version
    c.pointee.round = round
    c.pointee.parent = parent
    if let value = blob {
      c.pointee.blob = arena.message(value)
    }
    c.pointee.model_digest = arena.bytes(modelDigest)
    (c.pointee.n_tensors, c.pointee.tensors) = arena.messages(tensors)
    c.pointee.created_ms = createdMs
    (c.pointee.n_metrics, c.pointee.metrics) = arena.messages(metrics)
    c.pointee.contribution_count = contributionCount
    c.pointee.contributions_digest = arena.bytes(contributionsDigest)
    c.pointee.rollback_of = rollbackOf
  }

  init(copying c: UnsafePointer<Apus__V1__ModelInfo>) throws(WireError) {
    taskId = try copied(string: c.pointee.task_id)
    version = c.pointee.version
    round = c.pointee.round
    parent = c.pointee.parent
    blob = try copied(message: c.pointee.blob)
    modelDigest = copied(bytes: c.pointee.model_digest)
    tensors = try copied(messages: c.pointee.n_tensors, c.pointee.tensors)
    createdMs = c.pointee.created_ms
    metrics = try copied(messages: c.pointee.n_metrics, c.pointee.metrics)
    contributionCount = c.pointee.contribution_count
    contributionsDigest = copied(bytes: c.pointee.contributions_digest)
    rollbackOf = c.pointee.rollback_of
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.CreateInvitationRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__CreateInvitationRequest>) { apus__v1__create_invitation_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__CreateInvitationRequest>, _ arena: MessageArena) {
    c.pointee.uses = uses
    c.pointee.lifetime_ms = lifetimeMs
    c.pointee.role = arena.string(role)
    (c.pointee.n_labels, c.pointee.labels) = arena.entries(
      labels, apus__v1__create_invitation_request__labels_entry__init) { (c: UnsafeMutablePointer<Apus__V1__CreateInvitationRequest__LabelsEntry>, pair) in
      c.pointee.key = arena.string(pair.key)
      c.pointee.value = arena.string(pair.value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__CreateInvitationRequest>) throws(WireError) {
    uses = c.pointee.uses
    lifetimeMs = c.pointee.lifetime_ms
    role = try copied(string: c.pointee.role)
    labels = try copied(c.pointee.n_labels, c.pointee.labels) { (e) throws(WireError) in (try copied(string: e.pointee.key), try copied(string: e.pointee.value)) }
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Invitation: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Invitation>) { apus__v1__invitation__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Invitation>, _ arena: MessageArena) {
    c.pointee.url = arena.string(url)
    c.pointee.expires_ms = expiresMs
    c.pointee.uses = uses
    c.pointee.role = arena.string(role)
  }

  init(copying c: UnsafePointer<Apus__V1__Invitation>) throws(WireError) {
    url = try copied(string: c.pointee.url)
    expiresMs = c.pointee.expires_ms
    uses = c.pointee.uses
    role = try copied(string: c.pointee.role)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.DeviceRef: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__DeviceRef>) { apus__v1__device_ref__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__DeviceRef>, _ arena: MessageArena) {
    c.pointee.device = arena.string(device)
  }

  init(copying c: UnsafePointer<Apus__V1__DeviceRef>) throws(WireError) {
    device = try copied(string: c.pointee.device)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.SetDeviceEnabledRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__SetDeviceEnabledRequest>) { apus__v1__set_device_enabled_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__SetDeviceEnabledRequest>, _ arena: MessageArena) {
    c.pointee.device = arena.string(device)
    c.pointee.enabled = enabled ? 1 : 0
  }

  init(copying c: UnsafePointer<Apus__V1__SetDeviceEnabledRequest>) throws(WireError) {
    device = try copied(string: c.pointee.device)
    enabled = c.pointee.enabled != 0
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.ListDevicesRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__ListDevicesRequest>) { apus__v1__list_devices_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__ListDevicesRequest>, _ arena: MessageArena) {
  }

  init(copying c: UnsafePointer<Apus__V1__ListDevicesRequest>) throws(WireError) {
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.ListDevicesReply: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__ListDevicesReply>) { apus__v1__list_devices_reply__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__ListDevicesReply>, _ arena: MessageArena) {
    (c.pointee.n_devices, c.pointee.devices) = arena.messages(devices)
  }

  init(copying c: UnsafePointer<Apus__V1__ListDevicesReply>) throws(WireError) {
    devices = try copied(messages: c.pointee.n_devices, c.pointee.devices)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.DeviceInfo: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__DeviceInfo>) { apus__v1__device_info__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__DeviceInfo>, _ arena: MessageArena) {
    c.pointee.device_id = arena.string(deviceId)
    c.pointee.device_number = deviceNumber
    c.pointee.name = arena.string(name)
    (c.pointee.n_labels, c.pointee.labels) = arena.entries(
      labels, apus__v1__device_info__labels_entry__init) { (c: UnsafeMutablePointer<Apus__V1__DeviceInfo__LabelsEntry>, pair) in
      c.pointee.key = arena.string(pair.key)
      c.pointee.value = arena.string(pair.value)
    }
    c.pointee.role = arena.string(role)
    c.pointee.enabled = enabled ? 1 : 0
    c.pointee.revoked = revoked ? 1 : 0
    c.pointee.connected = connected ? 1 : 0
    c.pointee.enrolled_ms = enrolledMs
    c.pointee.last_seen_ms = lastSeenMs
    c.pointee.certificate_expires_ms = certificateExpiresMs
    c.pointee.rounds_counted = roundsCounted
    c.pointee.updates_rejected = updatesRejected
    c.pointee.leases_lost = leasesLost
    c.pointee.build = arena.string(build)
  }

  init(copying c: UnsafePointer<Apus__V1__DeviceInfo>) throws(WireError) {
    deviceId = try copied(string: c.pointee.device_id)
    deviceNumber = c.pointee.device_number
    name = try copied(string: c.pointee.name)
    labels = try copied(c.pointee.n_labels, c.pointee.labels) { (e) throws(WireError) in (try copied(string: e.pointee.key), try copied(string: e.pointee.value)) }
    role = try copied(string: c.pointee.role)
    enabled = c.pointee.enabled != 0
    revoked = c.pointee.revoked != 0
    connected = c.pointee.connected != 0
    enrolledMs = c.pointee.enrolled_ms
    lastSeenMs = c.pointee.last_seen_ms
    certificateExpiresMs = c.pointee.certificate_expires_ms
    roundsCounted = c.pointee.rounds_counted
    updatesRejected = c.pointee.updates_rejected
    leasesLost = c.pointee.leases_lost
    build = try copied(string: c.pointee.build)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.GetAuditLogRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__GetAuditLogRequest>) { apus__v1__get_audit_log_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__GetAuditLogRequest>, _ arena: MessageArena) {
    c.pointee.after_sequence = afterSequence
    c.pointee.limit = limit
  }

  init(copying c: UnsafePointer<Apus__V1__GetAuditLogRequest>) throws(WireError) {
    afterSequence = c.pointee.after_sequence
    limit = c.pointee.limit
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.AuditEntry: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__AuditEntry>) { apus__v1__audit_entry__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__AuditEntry>, _ arena: MessageArena) {
    c.pointee.sequence = sequence
    c.pointee.time_ms = timeMs
    c.pointee.actor = arena.string(actor)
    c.pointee.action = arena.string(action)
    c.pointee.subject = arena.string(subject)
    c.pointee.detail = arena.string(detail)
    c.pointee.hash = arena.bytes(hash)
  }

  init(copying c: UnsafePointer<Apus__V1__AuditEntry>) throws(WireError) {
    sequence = c.pointee.sequence
    timeMs = c.pointee.time_ms
    actor = try copied(string: c.pointee.actor)
    action = try copied(string: c.pointee.action)
    subject = try copied(string: c.pointee.subject)
    detail = try copied(string: c.pointee.detail)
    hash = copied(bytes: c.pointee.hash)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.VerifyAuditChainRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__VerifyAuditChainRequest>) { apus__v1__verify_audit_chain_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__VerifyAuditChainRequest>, _ arena: MessageArena) {
  }

  init(copying c: UnsafePointer<Apus__V1__VerifyAuditChainRequest>) throws(WireError) {
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.VerifyAuditChainReply: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__VerifyAuditChainReply>) { apus__v1__verify_audit_chain_reply__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__VerifyAuditChainReply>, _ arena: MessageArena) {
    c.pointee.intact = intact ? 1 : 0
    c.pointee.entries = entries
    c.pointee.first_broken = firstBroken
    c.pointee.head = arena.bytes(head)
  }

  init(copying c: UnsafePointer<Apus__V1__VerifyAuditChainReply>) throws(WireError) {
    intact = c.pointee.intact != 0
    entries = c.pointee.entries
    firstBroken = c.pointee.first_broken
    head = copied(bytes: c.pointee.head)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.DrainRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__DrainRequest>) { apus__v1__drain_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__DrainRequest>, _ arena: MessageArena) {
    c.pointee.grace_ms = graceMs
  }

  init(copying c: UnsafePointer<Apus__V1__DrainRequest>) throws(WireError) {
    graceMs = c.pointee.grace_ms
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.DrainReply: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__DrainReply>) { apus__v1__drain_reply__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__DrainReply>, _ arena: MessageArena) {
    c.pointee.connections = connections
    c.pointee.rounds_running = roundsRunning
  }

  init(copying c: UnsafePointer<Apus__V1__DrainReply>) throws(WireError) {
    connections = c.pointee.connections
    roundsRunning = c.pointee.rounds_running
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.GetServerStatusRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__GetServerStatusRequest>) { apus__v1__get_server_status_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__GetServerStatusRequest>, _ arena: MessageArena) {
  }

  init(copying c: UnsafePointer<Apus__V1__GetServerStatusRequest>) throws(WireError) {
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.ServerStatus: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__ServerStatus>) { apus__v1__server_status__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__ServerStatus>, _ arena: MessageArena) {
    c.pointee.version = arena.string(version)
    c.pointee.server_epoch = serverEpoch
    c.pointee.state = arena.string(state)
    c.pointee.uptime_ms = uptimeMs
    c.pointee.connections = connections
    c.pointee.waiting_devices = waitingDevices
    c.pointee.enrolled_devices = enrolledDevices
    c.pointee.running_tasks = runningTasks
    c.pointee.leases = leases
    c.pointee.blob_bytes = blobBytes
    c.pointee.blob_quota = blobQuota
    c.pointee.resident_bytes = residentBytes
    c.pointee.certificate_expires_ms = certificateExpiresMs
    c.pointee.server_time_ms = serverTimeMs
  }

  init(copying c: UnsafePointer<Apus__V1__ServerStatus>) throws(WireError) {
    version = try copied(string: c.pointee.version)
    serverEpoch = c.pointee.server_epoch
    state = try copied(string: c.pointee.state)
    uptimeMs = c.pointee.uptime_ms
    connections = c.pointee.connections
    waitingDevices = c.pointee.waiting_devices
    enrolledDevices = c.pointee.enrolled_devices
    runningTasks = c.pointee.running_tasks
    leases = c.pointee.leases
    blobBytes = c.pointee.blob_bytes
    blobQuota = c.pointee.blob_quota
    residentBytes = c.pointee.resident_bytes
    certificateExpiresMs = c.pointee.certificate_expires_ms
    serverTimeMs = c.pointee.server_time_ms
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

/// What people say to the aggregator. Role operator for all calls; role auditor for those that only read
/// (List..., Get..., Watch..., VerifyAuditChain).
package enum CoordinatorMethods {
  /// A new task, or the one that was created before with the same submit token.
  package static let createTask = Method<Proto.CreateTaskRequest, Proto.TaskInfo>(
    "/apus.v1.Coordinator/CreateTask", .unary)
  package static let listTasks = Method<Proto.ListTasksRequest, Proto.ListTasksReply>(
    "/apus.v1.Coordinator/ListTasks", .unary)
  package static let getTask = Method<Proto.TaskRef, Proto.TaskInfo>(
    "/apus.v1.Coordinator/GetTask", .unary)
  /// Starts a created or paused task. A task that is over stays over: FAILED_PRECONDITION.
  package static let resumeTask = Method<Proto.TaskRef, Proto.TaskInfo>(
    "/apus.v1.Coordinator/ResumeTask", .unary)
  /// The round that runs is finished; no other begins.
  package static let pauseTask = Method<Proto.TaskRef, Proto.TaskInfo>(
    "/apus.v1.Coordinator/PauseTask", .unary)
  /// The round that runs is abandoned.
  package static let cancelTask = Method<Proto.TaskRef, Proto.TaskInfo>(
    "/apus.v1.Coordinator/CancelTask", .unary)
  /// What happens to a task, from any event on; ends with the task.
  package static let watchTask = Method<Proto.WatchTaskRequest, Proto.TaskEvent>(
    "/apus.v1.Coordinator/WatchTask", .serverStreaming)
  /// One round of a task that is created or paused.
  package static let launchRound = Method<Proto.TaskRef, Proto.RoundInfo>(
    "/apus.v1.Coordinator/LaunchRound", .unary)
  package static let listRounds = Method<Proto.ListRoundsRequest, Proto.ListRoundsReply>(
    "/apus.v1.Coordinator/ListRounds", .unary)
  package static let getRound = Method<Proto.RoundRef, Proto.RoundInfo>(
    "/apus.v1.Coordinator/GetRound", .unary)
  package static let listModels = Method<Proto.ListModelsRequest, Proto.ListModelsReply>(
    "/apus.v1.Coordinator/ListModels", .unary)
  package static let getModel = Method<Proto.ModelRef, Proto.ModelInfo>(
    "/apus.v1.Coordinator/GetModel", .unary)
  /// Makes an earlier version the newest one, as a version of its own whose parent it is.
  package static let rollbackModel = Method<Proto.ModelRef, Proto.ModelInfo>(
    "/apus.v1.Coordinator/RollbackModel", .unary)
  package static let createInvitation = Method<Proto.CreateInvitationRequest, Proto.Invitation>(
    "/apus.v1.Coordinator/CreateInvitation", .unary)
  package static let listDevices = Method<Proto.ListDevicesRequest, Proto.ListDevicesReply>(
    "/apus.v1.Coordinator/ListDevices", .unary)
  package static let getDevice = Method<Proto.DeviceRef, Proto.DeviceInfo>(
    "/apus.v1.Coordinator/GetDevice", .unary)
  /// A disabled device gets no work until it is enabled again.
  package static let setDeviceEnabled = Method<Proto.SetDeviceEnabledRequest, Proto.DeviceInfo>(
    "/apus.v1.Coordinator/SetDeviceEnabled", .unary)
  /// For good, from the next call on.
  package static let revokeDevice = Method<Proto.DeviceRef, Proto.DeviceInfo>(
    "/apus.v1.Coordinator/RevokeDevice", .unary)
  package static let getAuditLog = Method<Proto.GetAuditLogRequest, Proto.AuditEntry>(
    "/apus.v1.Coordinator/GetAuditLog", .serverStreaming)
  package static let verifyAuditChain = Method<Proto.VerifyAuditChainRequest, Proto.VerifyAuditChainReply>(
    "/apus.v1.Coordinator/VerifyAuditChain", .unary)
  /// Finishes or checkpoints what runs, tells devices when to come back, and ends the process.
  package static let drain = Method<Proto.DrainRequest, Proto.DrainReply>(
    "/apus.v1.Coordinator/Drain", .unary)
  package static let getServerStatus = Method<Proto.GetServerStatusRequest, Proto.ServerStatus>(
    "/apus.v1.Coordinator/GetServerStatus", .unary)

  /// The paths of all calls.
  package static let paths = [
    "/apus.v1.Coordinator/CreateTask",
    "/apus.v1.Coordinator/ListTasks",
    "/apus.v1.Coordinator/GetTask",
    "/apus.v1.Coordinator/ResumeTask",
    "/apus.v1.Coordinator/PauseTask",
    "/apus.v1.Coordinator/CancelTask",
    "/apus.v1.Coordinator/WatchTask",
    "/apus.v1.Coordinator/LaunchRound",
    "/apus.v1.Coordinator/ListRounds",
    "/apus.v1.Coordinator/GetRound",
    "/apus.v1.Coordinator/ListModels",
    "/apus.v1.Coordinator/GetModel",
    "/apus.v1.Coordinator/RollbackModel",
    "/apus.v1.Coordinator/CreateInvitation",
    "/apus.v1.Coordinator/ListDevices",
    "/apus.v1.Coordinator/GetDevice",
    "/apus.v1.Coordinator/SetDeviceEnabled",
    "/apus.v1.Coordinator/RevokeDevice",
    "/apus.v1.Coordinator/GetAuditLog",
    "/apus.v1.Coordinator/VerifyAuditChain",
    "/apus.v1.Coordinator/Drain",
    "/apus.v1.Coordinator/GetServerStatus",
  ]
}
