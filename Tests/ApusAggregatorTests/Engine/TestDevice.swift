// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusWire
import Testing

@testable import ApusAggregator

/// A device of a test: it asks, trains and submits when it is told to.
struct TestDevice: Sendable {
  let number: Int
  let federation: Federation
  let channel: InProcessTransport

  init(_ number: Int, of federation: Federation) {
    self.number = number
    self.federation = federation
    channel = federation.channel(number)
  }

  func checkIn(
    _ request: Proto.CheckInRequest = Proto.CheckInRequest()
  ) async throws -> Proto.CheckInReply {
    try await channel.call(EdgeMethods.checkIn, request, timeout: .seconds(60))
  }

  /// Asks until there is work.
  func assignmentByAsking() async throws -> Proto.Assignment {
    for _ in 0..<100 {
      if case .assignment(let assignment) = try await checkIn().answer { return assignment }
    }
    throw Missing(what: "an assignment for device \(number)")
  }

  struct Missing: Error { var what: String }

  func wait(
    _ request: Proto.CheckInRequest = Proto.CheckInRequest()
  ) async throws -> ReplyStream<Proto.AssignmentEvent> {
    try await channel.stream(EdgeMethods.waitAssignment, request, timeout: nil)
  }

  /// What the device learned, durable at the aggregator and not yet submitted.
  func learn(_ assignment: Proto.Assignment) async throws -> Proto.Update {
    let manifest = try #require(assignment.model)
    let digest = try BlobManifest(manifest).digest
    let model = ParameterVector(try federation.blobs.open(digest))
    let learned = try SmallTask.update(assignment, from: model, device: number)
    return try await upload(learned.numbers, weight: learned.weight, for: assignment)
  }

  func upload(
    _ numbers: ParameterVector, weight: Int, for assignment: Proto.Assignment
  ) async throws -> Proto.Update {
    let blob = try await federation.blobs.write(numbers.littleEndianBytes)
    return Proto.Update {
      $0.blob = blob.digest.bytes
      $0.type = .float32
      $0.count = UInt64(numbers.count)
      $0.layoutDigest = assignment.layoutDigest
      $0.weight = UInt64(weight)
    }
  }

  func submit(
    _ update: Proto.Update, for assignment: Proto.Assignment, key: [UInt8]? = nil
  ) async throws -> Proto.SubmitUpdateReply {
    try await channel.call(
      EdgeMethods.submitUpdate,
      Proto.SubmitUpdateRequest {
        $0.idempotencyKey = key ?? Self.key(assignment)
        $0.leaseId = assignment.leaseId
        $0.epoch = assignment.epoch
        $0.update = update
      }, timeout: .seconds(60))
  }

  func keepAlive(_ assignment: Proto.Assignment) async throws -> Proto.KeepAliveReply {
    try await channel.call(
      EdgeMethods.keepAlive,
      Proto.KeepAliveRequest {
        $0.leaseId = assignment.leaseId
        $0.epoch = assignment.epoch
      }, timeout: .seconds(60))
  }

  /// The same for every attempt at one assignment.
  static func key(_ assignment: Proto.Assignment) -> [UInt8] {
    var key = assignment.leaseId
    key[0] ^= 0xFF
    return key
  }

  func learnAndSubmit(_ assignment: Proto.Assignment) async throws -> Proto.SubmitUpdateReply {
    try await submit(try await learn(assignment), for: assignment)
  }

  /// Works for whatever comes, until the stream ends or the task is cancelled.
  func work() async {
    guard let stream = try? await wait() else { return }
    while !Task.isCancelled, let event = try? await stream.next() {
      guard case .assignment(let assignment)? = event.event else { continue }
      _ = try? await learnAndSubmit(assignment)
    }
  }
}

extension ReplyStream<Proto.AssignmentEvent> {
  /// The next assignment, past heartbeats and what is over.
  func nextAssignment() async throws -> Proto.Assignment {
    while let event = try await next() {
      if case .assignment(let assignment)? = event.event { return assignment }
    }
    throw TestDevice.Missing(what: "an assignment on the stream")
  }
}

/// A coordinator of a test.
struct TestCoordinator: Sendable {
  let federation: Federation
  let channel: InProcessTransport

  init(of federation: Federation) {
    self.federation = federation
    channel = federation.coordinator
  }

  func create(
    _ spec: Proto.TaskSpec, token: String = "", start: Bool = true
  ) async throws -> Proto.TaskInfo {
    try await channel.call(
      CoordinatorMethods.createTask,
      Proto.CreateTaskRequest {
        $0.spec = spec
        $0.submitToken = token
        $0.start = start
      }, timeout: .seconds(60))
  }

  func call<Reply>(
    _ method: Method<Proto.TaskRef, Reply>, _ task: String
  ) async throws -> Reply {
    try await channel.call(method, Proto.TaskRef { $0.task = task }, timeout: .seconds(60))
  }

  func task(_ id: String) async throws -> Proto.TaskInfo {
    try await call(CoordinatorMethods.getTask, id)
  }

  func rounds(_ id: String) async throws -> [Proto.RoundInfo] {
    try await channel.call(
      CoordinatorMethods.listRounds, Proto.ListRoundsRequest { $0.task = id },
      timeout: .seconds(60)
    ).rounds
  }

  func models(_ id: String) async throws -> [Proto.ModelInfo] {
    try await channel.call(
      CoordinatorMethods.listModels, Proto.ListModelsRequest { $0.task = id },
      timeout: .seconds(60)
    ).models
  }

  /// Follows a task until an event fits.
  @discardableResult
  func follow(
    _ id: String, until isEnough: @Sendable (Proto.TaskEvent) -> Bool
  ) async throws -> [Proto.TaskEvent] {
    let stream = try await channel.stream(
      CoordinatorMethods.watchTask, Proto.WatchTaskRequest { $0.task = id },
      timeout: .seconds(60))
    var events: [Proto.TaskEvent] = []
    while let event = try await stream.next() {
      events.append(event)
      if isEnough(event) { break }
    }
    return events
  }

  /// Follows a task to its end.
  func finish(_ id: String) async throws -> Proto.TaskInfo {
    try await follow(id) { _ in false }
    return try await task(id)
  }
}
