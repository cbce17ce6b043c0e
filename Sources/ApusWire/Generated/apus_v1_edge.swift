// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// Made from protocols/apus/v1/edge.proto by scripts/protocols; not to be edited.
// swift-format-ignore-file

internal import ApusProtocols

extension Proto {
  package struct HelloRequest: Hashable, Sendable {
    /// The range of protocol versions that the device speaks; 1 is the only one so far.
    package var versionMin: UInt32 = 0
    package var versionMax: UInt32 = 0
    /// For example zstd.
    package var features: [String] = []
    /// For logs: for example apus/0.4.0 linux x86_64; at most 200 bytes.
    package var build: String = ""

    package init() {}
  }
}

extension Proto {
  package struct HelloReply: Hashable, Sendable {
    package var version: UInt32 = 0
    package var features: [String] = []
    /// Bytes in a message, framing excluded.
    package var messageLimit: UInt64 = 0
    /// Bytes in a blob.
    package var blobLimit: UInt64 = 0
    /// Of this incarnation of the aggregator: rises with every start.
    package var serverEpoch: UInt64 = 0
    /// Milliseconds since 1970 (UTC): a hint; nothing depends on clocks that agree.
    package var serverTimeMs: UInt64 = 0
    package var retry: Proto.RetryWindow? = nil

    package init() {}
  }
}

extension Proto {
  package struct EnrollRequest: Hashable, Sendable {
    /// The invitation's.
    package var token: String = ""
    /// PKCS #10, DER: the device's public key; all else in it is ignored.
    package var signingRequest: [UInt8] = []
    /// What people call the device, at most 100 bytes.
    package var name: String = ""
    /// For choosing devices by group, at most 16 of 100 bytes each.
    package var labels: [String: String] = [:]
    /// 16 bytes, drawn by the device once; the same for a repeated attempt.
    package var idempotencyKey: [UInt8] = []

    package init() {}
  }
}

extension Proto {
  package struct RenewCertificateRequest: Hashable, Sendable {
    /// PKCS #10, DER: the same key or another one; all else in it is ignored.
    package var signingRequest: [UInt8] = []

    package init() {}
  }
}

extension Proto {
  package struct EnrollReply: Hashable, Sendable {
    /// X.509, DER: the device's first, then those between it and the authority.
    package var certificates: [[UInt8]] = []
    /// X.509, DER.
    package var authority: [UInt8] = []
    /// 32 hexadecimal digits; in the certificate as apus://FEDERATION/ROLE/ID.
    package var deviceId: String = ""
    /// Counted from 0 in the order of enrolment, for each role; a device's is the client's number in the federation.
    package var deviceNumber: UInt64 = 0
    /// Milliseconds since 1970 (UTC) when the certificate ends.
    package var expiresMs: UInt64 = 0
    /// What it is good for: device, operator or auditor.
    package var role: String = ""
    package var retry: Proto.RetryWindow? = nil

    package init() {}
  }
}

extension Proto {
  /// What a device is ready for.
  package struct CheckInRequest: Hashable, Sendable {
    /// DataSchemas (plan.proto) would tell too much: the device names the shape of its examples, so that it is not
    /// asked for what it cannot do.
    package var inputShape: [UInt64] = []
    /// Number of examples, rounded up to a power of two.
    package var exampleCountBucket: UInt64 = 0
    /// Bytes that training may use; 0 for no limit.
    package var memoryLimit: UInt64 = 0
    /// Tasks that it will work for; empty for any.
    package var tasks: [String] = []
    /// Model and plan blobs that it has, so that the aggregator can prefer it; digests of 32 bytes, at most 16.
    package var cached: [[UInt8]] = []

    package init() {}
  }
}

extension Proto {
  package struct CheckInReply: Hashable, Sendable {
    package enum Answer: Hashable, Sendable {
      case assignment(Proto.Assignment)
      /// Why not, for people: a constant sentence.
      case notNeeded(String)
    }

    package var answer: Answer? = nil
    package var retry: Proto.RetryWindow? = nil

    package init() {}
  }
}

extension Proto {
  package struct AssignmentEvent: Hashable, Sendable {
    package enum Event: Hashable, Sendable {
      case assignment(Proto.Assignment)
      /// The lease is no longer wanted: its round is over.
      case cancelledLease([UInt8])
      /// The aggregator goes down, or sheds load: come back within the window.
      case goodbye(Proto.Goodbye)
      /// Nothing new; keeps the way open.
      case heartbeat(Proto.Heartbeat)
    }

    package var event: Event? = nil
    package var retry: Proto.RetryWindow? = nil

    package init() {}
  }
}

extension Proto {
  package struct Goodbye: Hashable, Sendable {
    /// A constant sentence.
    package var reason: String = ""

    package init() {}
  }
}

extension Proto {
  package struct Heartbeat: Hashable, Sendable {
    package init() {}
  }
}

extension Proto {
  /// One device's part of one round.
  package struct Assignment: Hashable, Sendable {
    package var taskId: String = ""
    /// Counted from 0 within the task.
    package var round: UInt64 = 0
    /// The aggregator's incarnation that gave the lease. Submissions carry it; a stale one is refused.
    package var epoch: UInt64 = 0
    /// 16 bytes.
    package var leaseId: [UInt8] = []
    /// The lease ends so long after this message came, unless it is kept alive. The device then forgets it by
    /// itself, whether it hears from the aggregator or not.
    package var leaseMs: UInt64 = 0
    /// Updates must be submitted so long after this message came.
    package var reportDeadlineMs: UInt64 = 0
    /// The encoded Plan (plan.proto).
    package var plan: Proto.BlobManifest? = nil
    /// The model as FLOAT32, in the order of the graph's trained parameters.
    package var model: Proto.BlobManifest? = nil
    /// SHA-256 of the layout: for each trained parameter "name:extent,extent,...;" in order.
    package var layoutDigest: [UInt8] = []
    /// Where the device's randomness begins: key and nonce of its stream of this round.
    package var randomKey: UInt64 = 0
    package var randomNonce: UInt64 = 0
    /// Bounds that an update must keep to, or it is rejected.
    package var bounds: Proto.UpdateBounds? = nil

    package init() {}
  }
}

extension Proto {
  package struct UpdateBounds: Hashable, Sendable {
    /// The greatest magnitude of a coordinate.
    package var coordinate: Float = 0
    /// The greatest Euclidean norm; 0 for no bound.
    package var norm: Double = 0
    /// The greatest weight.
    package var weight: UInt64 = 0

    package init() {}
  }
}

extension Proto {
  package struct KeepAliveRequest: Hashable, Sendable {
    package var leaseId: [UInt8] = []
    package var epoch: UInt64 = 0
    /// Counts up with whatever the device does for the lease.
    package var progress: UInt64 = 0

    package init() {}
  }
}

extension Proto {
  package struct KeepAliveReply: Hashable, Sendable {
    package struct Instruction: RawRepresentable, Hashable, Sendable {
      package let rawValue: Int32

      package init(rawValue: Int32) { self.rawValue = rawValue }

      package static let unspecified = Instruction(rawValue: 0)
      package static let `continue` = Instruction(rawValue: 1)
      /// The round goes on without this device.
      package static let cancel = Instruction(rawValue: 2)
    }

    package var instruction: Proto.KeepAliveReply.Instruction = Proto.KeepAliveReply.Instruction(rawValue: 0)
    /// The lease ends so long after this message came.
    package var leaseMs: UInt64 = 0
    package var retry: Proto.RetryWindow? = nil

    package init() {}
  }
}

extension Proto {
  package struct SubmitUpdateRequest: Hashable, Sendable {
    /// 16 bytes, drawn once for this update; the same for a repeated attempt.
    package var idempotencyKey: [UInt8] = []
    package var leaseId: [UInt8] = []
    package var epoch: UInt64 = 0
    package var update: Proto.Update? = nil

    package init() {}
  }
}

extension Proto {
  package struct SubmitUpdateReply: Hashable, Sendable {
    package struct Verdict: RawRepresentable, Hashable, Sendable {
      package let rawValue: Int32

      package init(rawValue: Int32) { self.rawValue = rawValue }

      package static let unspecified = Verdict(rawValue: 0)
      /// Durable, and counted once if the round is published.
      package static let accepted = Verdict(rawValue: 1)
      /// Accepted before, under the same key.
      package static let duplicate = Verdict(rawValue: 2)
      /// Late, or enough others were faster. No fault.
      package static let notNeeded = Verdict(rawValue: 3)
      /// It cannot be counted: see reason.
      package static let rejected = Verdict(rawValue: 4)
    }

    package var verdict: Proto.SubmitUpdateReply.Verdict = Proto.SubmitUpdateReply.Verdict(rawValue: 0)
    /// A code, for example not-finite, wrong-layout, norm-beyond-bound.
    package var reason: String = ""
    package var retry: Proto.RetryWindow? = nil

    package init() {}
  }
}

extension Proto {
  /// What a device learned in a round.
  package struct Update: Hashable, Sendable {
    /// 32 bytes: the blob with the numbers, complete before this is sent.
    package var blob: [UInt8] = []
    /// FLOAT32, BFLOAT16 or FLOAT16.
    package var type: Proto.DataType = Proto.DataType(rawValue: 0)
    /// How many numbers.
    package var count: UInt64 = 0
    /// As the assignment had it.
    package var layoutDigest: [UInt8] = []
    /// How much the update counts, at least 1: the number of examples.
    package var weight: UInt64 = 0
    /// training_loss, step_count, seconds.
    package var metrics: [Proto.Metric] = []

    package init() {}
  }
}

extension Proto {
  package struct AbandonRequest: Hashable, Sendable {
    package var leaseId: [UInt8] = []
    package var epoch: UInt64 = 0
    /// A code: not-idle, not-charging, battery-low, too-hot, metered, outside-hours, out-of-memory, out-of-time,
    /// data-mismatch, plan-refused, stopped, failed; a device may have others, of at most 40 characters a-z 0-9 and -.
    package var reason: String = ""

    package init() {}
  }
}

extension Proto {
  package struct AbandonReply: Hashable, Sendable {
    package var retry: Proto.RetryWindow? = nil

    package init() {}
  }
}

extension Proto.HelloRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__HelloRequest>) { apus__v1__hello_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__HelloRequest>, _ arena: MessageArena) {
    c.pointee.version_min = versionMin
    c.pointee.version_max = versionMax
    (c.pointee.n_features, c.pointee.features) = arena.strings(features)
    c.pointee.build = arena.string(build)
  }

  init(copying c: UnsafePointer<Apus__V1__HelloRequest>) throws(WireError) {
    versionMin = c.pointee.version_min
    versionMax = c.pointee.version_max
    features = try copied(strings: c.pointee.n_features, c.pointee.features)
    build = try copied(string: c.pointee.build)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.HelloReply: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__HelloReply>) { apus__v1__hello_reply__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__HelloReply>, _ arena: MessageArena) {
    c.pointee.version = version
    (c.pointee.n_features, c.pointee.features) = arena.strings(features)
    c.pointee.message_limit = messageLimit
    c.pointee.blob_limit = blobLimit
    c.pointee.server_epoch = serverEpoch
    c.pointee.server_time_ms = serverTimeMs
    if let value = retry {
      c.pointee.retry = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__HelloReply>) throws(WireError) {
    version = c.pointee.version
    features = try copied(strings: c.pointee.n_features, c.pointee.features)
    messageLimit = c.pointee.message_limit
    blobLimit = c.pointee.blob_limit
    serverEpoch = c.pointee.server_epoch
    serverTimeMs = c.pointee.server_time_ms
    retry = try copied(message: c.pointee.retry)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.EnrollRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__EnrollRequest>) { apus__v1__enroll_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__EnrollRequest>, _ arena: MessageArena) {
    c.pointee.token = arena.string(token)
    c.pointee.signing_request = arena.bytes(signingRequest)
    c.pointee.name = arena.string(name)
    (c.pointee.n_labels, c.pointee.labels) = arena.entries(
      labels, apus__v1__enroll_request__labels_entry__init) { (c: UnsafeMutablePointer<Apus__V1__EnrollRequest__LabelsEntry>, pair) in
      c.pointee.key = arena.string(pair.key)
      c.pointee.value = arena.string(pair.value)
    }
    c.pointee.idempotency_key = arena.bytes(idempotencyKey)
  }

  init(copying c: UnsafePointer<Apus__V1__EnrollRequest>) throws(WireError) {
    token = try copied(string: c.pointee.token)
    signingRequest = copied(bytes: c.pointee.signing_request)
    name = try copied(string: c.pointee.name)
    labels = try copied(c.pointee.n_labels, c.pointee.labels) { (e) throws(WireError) in (try copied(string: e.pointee.key), try copied(string: e.pointee.value)) }
    idempotencyKey = copied(bytes: c.pointee.idempotency_key)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.RenewCertificateRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__RenewCertificateRequest>) { apus__v1__renew_certificate_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__RenewCertificateRequest>, _ arena: MessageArena) {
    c.pointee.signing_request = arena.bytes(signingRequest)
  }

  init(copying c: UnsafePointer<Apus__V1__RenewCertificateRequest>) throws(WireError) {
    signingRequest = copied(bytes: c.pointee.signing_request)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.EnrollReply: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__EnrollReply>) { apus__v1__enroll_reply__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__EnrollReply>, _ arena: MessageArena) {
    (c.pointee.n_certificates, c.pointee.certificates) = arena.blobs(certificates)
    c.pointee.authority = arena.bytes(authority)
    c.pointee.device_id = arena.string(deviceId)
    c.pointee.device_number = deviceNumber
    c.pointee.expires_ms = expiresMs
    c.pointee.role = arena.string(role)
    if let value = retry {
      c.pointee.retry = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__EnrollReply>) throws(WireError) {
    certificates = copied(blobs: c.pointee.n_certificates, c.pointee.certificates)
    authority = copied(bytes: c.pointee.authority)
    deviceId = try copied(string: c.pointee.device_id)
    deviceNumber = c.pointee.device_number
    expiresMs = c.pointee.expires_ms
    role = try copied(string: c.pointee.role)
    retry = try copied(message: c.pointee.retry)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.CheckInRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__CheckInRequest>) { apus__v1__check_in_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__CheckInRequest>, _ arena: MessageArena) {
    (c.pointee.n_input_shape, c.pointee.input_shape) = arena.numbers(inputShape)
    c.pointee.example_count_bucket = exampleCountBucket
    c.pointee.memory_limit = memoryLimit
    (c.pointee.n_tasks, c.pointee.tasks) = arena.strings(tasks)
    (c.pointee.n_cached, c.pointee.cached) = arena.blobs(cached)
  }

  init(copying c: UnsafePointer<Apus__V1__CheckInRequest>) throws(WireError) {
    inputShape = copied(numbers: c.pointee.n_input_shape, c.pointee.input_shape)
    exampleCountBucket = c.pointee.example_count_bucket
    memoryLimit = c.pointee.memory_limit
    tasks = try copied(strings: c.pointee.n_tasks, c.pointee.tasks)
    cached = copied(blobs: c.pointee.n_cached, c.pointee.cached)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.CheckInReply: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__CheckInReply>) { apus__v1__check_in_reply__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__CheckInReply>, _ arena: MessageArena) {
    switch answer {
    case nil: break
    case .assignment(let value):
      c.pointee.answer_case = .init(rawValue: 1)
      c.pointee.assignment = arena.message(value)
    case .notNeeded(let value):
      c.pointee.answer_case = .init(rawValue: 2)
      c.pointee.not_needed = arena.string(value)
    }
    if let value = retry {
      c.pointee.retry = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__CheckInReply>) throws(WireError) {
    switch c.pointee.answer_case.rawValue {
    case 1: answer = try .assignment(copied(present: c.pointee.assignment))
    case 2: answer = try .notNeeded(copied(string: c.pointee.not_needed))
    default: answer = nil
    }
    retry = try copied(message: c.pointee.retry)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.AssignmentEvent: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__AssignmentEvent>) { apus__v1__assignment_event__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__AssignmentEvent>, _ arena: MessageArena) {
    switch event {
    case nil: break
    case .assignment(let value):
      c.pointee.event_case = .init(rawValue: 1)
      c.pointee.assignment = arena.message(value)
    case .cancelledLease(let value):
      c.pointee.event_case = .init(rawValue: 2)
      c.pointee.cancelled_lease = arena.bytes(value)
    case .goodbye(let value):
      c.pointee.event_case = .init(rawValue: 3)
      c.pointee.goodbye = arena.message(value)
    case .heartbeat(let value):
      c.pointee.event_case = .init(rawValue: 4)
      c.pointee.heartbeat = arena.message(value)
    }
    if let value = retry {
      c.pointee.retry = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__AssignmentEvent>) throws(WireError) {
    switch c.pointee.event_case.rawValue {
    case 1: event = try .assignment(copied(present: c.pointee.assignment))
    case 2: event = .cancelledLease(copied(bytes: c.pointee.cancelled_lease))
    case 3: event = try .goodbye(copied(present: c.pointee.goodbye))
    case 4: event = try .heartbeat(copied(present: c.pointee.heartbeat))
    default: event = nil
    }
    retry = try copied(message: c.pointee.retry)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Goodbye: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Goodbye>) { apus__v1__goodbye__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Goodbye>, _ arena: MessageArena) {
    c.pointee.reason = arena.string(reason)
  }

  init(copying c: UnsafePointer<Apus__V1__Goodbye>) throws(WireError) {
    reason = try copied(string: c.pointee.reason)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Heartbeat: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Heartbeat>) { apus__v1__heartbeat__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Heartbeat>, _ arena: MessageArena) {
  }

  init(copying c: UnsafePointer<Apus__V1__Heartbeat>) throws(WireError) {
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Assignment: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Assignment>) { apus__v1__assignment__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Assignment>, _ arena: MessageArena) {
    c.pointee.task_id = arena.string(taskId)
    c.pointee.round = round
    c.pointee.epoch = epoch
    c.pointee.lease_id = arena.bytes(leaseId)
    c.pointee.lease_ms = leaseMs
    c.pointee.report_deadline_ms = reportDeadlineMs
    if let value = plan {
      c.pointee.plan = arena.message(value)
    }
    if let value = model {
      c.pointee.model = arena.message(value)
    }
    c.pointee.layout_digest = arena.bytes(layoutDigest)
    c.pointee.random_key = randomKey
    c.pointee.random_nonce = randomNonce
    if let value = bounds {
      c.pointee.bounds = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__Assignment>) throws(WireError) {
    taskId = try copied(string: c.pointee.task_id)
    round = c.pointee.round
    epoch = c.pointee.epoch
    leaseId = copied(bytes: c.pointee.lease_id)
    leaseMs = c.pointee.lease_ms
    reportDeadlineMs = c.pointee.report_deadline_ms
    plan = try copied(message: c.pointee.plan)
    model = try copied(message: c.pointee.model)
    layoutDigest = copied(bytes: c.pointee.layout_digest)
    randomKey = c.pointee.random_key
    randomNonce = c.pointee.random_nonce
    bounds = try copied(message: c.pointee.bounds)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.UpdateBounds: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__UpdateBounds>) { apus__v1__update_bounds__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__UpdateBounds>, _ arena: MessageArena) {
    c.pointee.coordinate = coordinate
    c.pointee.norm = norm
    c.pointee.weight = weight
  }

  init(copying c: UnsafePointer<Apus__V1__UpdateBounds>) throws(WireError) {
    coordinate = c.pointee.coordinate
    norm = c.pointee.norm
    weight = c.pointee.weight
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.KeepAliveRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__KeepAliveRequest>) { apus__v1__keep_alive_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__KeepAliveRequest>, _ arena: MessageArena) {
    c.pointee.lease_id = arena.bytes(leaseId)
    c.pointee.epoch = epoch
    c.pointee.progress = progress
  }

  init(copying c: UnsafePointer<Apus__V1__KeepAliveRequest>) throws(WireError) {
    leaseId = copied(bytes: c.pointee.lease_id)
    epoch = c.pointee.epoch
    progress = c.pointee.progress
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.KeepAliveReply: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__KeepAliveReply>) { apus__v1__keep_alive_reply__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__KeepAliveReply>, _ arena: MessageArena) {
    c.pointee.instruction = .init(rawValue: UInt32(bitPattern: instruction.rawValue))
    c.pointee.lease_ms = leaseMs
    if let value = retry {
      c.pointee.retry = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__KeepAliveReply>) throws(WireError) {
    instruction = Proto.KeepAliveReply.Instruction(rawValue: Int32(bitPattern: c.pointee.instruction.rawValue))
    leaseMs = c.pointee.lease_ms
    retry = try copied(message: c.pointee.retry)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.SubmitUpdateRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__SubmitUpdateRequest>) { apus__v1__submit_update_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__SubmitUpdateRequest>, _ arena: MessageArena) {
    c.pointee.idempotency_key = arena.bytes(idempotencyKey)
    c.pointee.lease_id = arena.bytes(leaseId)
    c.pointee.epoch = epoch
    if let value = update {
      c.pointee.update = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__SubmitUpdateRequest>) throws(WireError) {
    idempotencyKey = copied(bytes: c.pointee.idempotency_key)
    leaseId = copied(bytes: c.pointee.lease_id)
    epoch = c.pointee.epoch
    update = try copied(message: c.pointee.update)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.SubmitUpdateReply: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__SubmitUpdateReply>) { apus__v1__submit_update_reply__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__SubmitUpdateReply>, _ arena: MessageArena) {
    c.pointee.verdict = .init(rawValue: UInt32(bitPattern: verdict.rawValue))
    c.pointee.reason = arena.string(reason)
    if let value = retry {
      c.pointee.retry = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__SubmitUpdateReply>) throws(WireError) {
    verdict = Proto.SubmitUpdateReply.Verdict(rawValue: Int32(bitPattern: c.pointee.verdict.rawValue))
    reason = try copied(string: c.pointee.reason)
    retry = try copied(message: c.pointee.retry)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Update: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Update>) { apus__v1__update__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Update>, _ arena: MessageArena) {
    c.pointee.blob = arena.bytes(blob)
    c.pointee.type = .init(rawValue: UInt32(bitPattern: type.rawValue))
    c.pointee.count = count
    c.pointee.layout_digest = arena.bytes(layoutDigest)
    c.pointee.weight = weight
    (c.pointee.n_metrics, c.pointee.metrics) = arena.messages(metrics)
  }

  init(copying c: UnsafePointer<Apus__V1__Update>) throws(WireError) {
    blob = copied(bytes: c.pointee.blob)
    type = Proto.DataType(rawValue: Int32(bitPattern: c.pointee.type.rawValue))
    count = c.pointee.count
    layoutDigest = copied(bytes: c.pointee.layout_digest)
    weight = c.pointee.weight
    metrics = try copied(messages: c.pointee.n_metrics, c.pointee.metrics)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.AbandonRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__AbandonRequest>) { apus__v1__abandon_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__AbandonRequest>, _ arena: MessageArena) {
    c.pointee.lease_id = arena.bytes(leaseId)
    c.pointee.epoch = epoch
    c.pointee.reason = arena.string(reason)
  }

  init(copying c: UnsafePointer<Apus__V1__AbandonRequest>) throws(WireError) {
    leaseId = copied(bytes: c.pointee.lease_id)
    epoch = c.pointee.epoch
    reason = try copied(string: c.pointee.reason)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.AbandonReply: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__AbandonReply>) { apus__v1__abandon_reply__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__AbandonReply>, _ arena: MessageArena) {
    if let value = retry {
      c.pointee.retry = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__AbandonReply>) throws(WireError) {
    retry = try copied(message: c.pointee.retry)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

/// What a device says to the aggregator. Nothing listens on a device: it opens every connection.
///
/// Roles: Hello may be called by everybody, Enroll without a client certificate only, RenewCertificate with the
/// certificate of a device, an operator or an auditor, all else with the role device only.
/// Before the aggregator has recovered from a restart it answers UNAVAILABLE with a retry window.
/// UNAVAILABLE, RESOURCE_EXHAUSTED and ABORTED: try again after the delay, with the same keys.
/// FAILED_PRECONDITION: the lease or the epoch is over; check in again. INVALID_ARGUMENT, UNAUTHENTICATED and
/// PERMISSION_DENIED: do not try again.
package enum EdgeMethods {
  /// Which versions and limits hold here. FAILED_PRECONDITION, with the range, where no version fits.
  package static let hello = Method<Proto.HelloRequest, Proto.HelloReply>(
    "/apus.v1.Edge/Hello", .unary)
  /// A token and a certificate signing request for a certificate. Sent again with the same key it gives the
  /// same device, as long as the token lives. PERMISSION_DENIED for a token that is unknown, used up or over.
  package static let enroll = Method<Proto.EnrollRequest, Proto.EnrollReply>(
    "/apus.v1.Edge/Enroll", .unary)
  /// A new certificate for the same holder and role, for one that still holds: devices', operators' and auditors'.
  package static let renewCertificate = Method<Proto.RenewCertificateRequest, Proto.EnrollReply>(
    "/apus.v1.Edge/RenewCertificate", .unary)
  /// Asks for work, once.
  package static let checkIn = Method<Proto.CheckInRequest, Proto.CheckInReply>(
    "/apus.v1.Edge/CheckIn", .unary)
  /// Asks for work and stays: for devices that are up. An assignment comes as soon as there is one.
  package static let waitAssignment = Method<Proto.CheckInRequest, Proto.AssignmentEvent>(
    "/apus.v1.Edge/WaitAssignment", .serverStreaming)
  /// Prolongs a lease, and learns whether the work is still wanted.
  package static let keepAlive = Method<Proto.KeepAliveRequest, Proto.KeepAliveReply>(
    "/apus.v1.Edge/KeepAlive", .unary)
  /// Hands in an update whose blob is complete. The only call that counts one; OK means that it is durable and
  /// will be counted exactly once if its round is published.
  package static let submitUpdate = Method<Proto.SubmitUpdateRequest, Proto.SubmitUpdateReply>(
    "/apus.v1.Edge/SubmitUpdate", .unary)
  /// Gives an assignment back.
  package static let abandon = Method<Proto.AbandonRequest, Proto.AbandonReply>(
    "/apus.v1.Edge/Abandon", .unary)

  /// The paths of all calls.
  package static let paths = [
    "/apus.v1.Edge/Hello",
    "/apus.v1.Edge/Enroll",
    "/apus.v1.Edge/RenewCertificate",
    "/apus.v1.Edge/CheckIn",
    "/apus.v1.Edge/WaitAssignment",
    "/apus.v1.Edge/KeepAlive",
    "/apus.v1.Edge/SubmitUpdate",
    "/apus.v1.Edge/Abandon",
  ]
}
