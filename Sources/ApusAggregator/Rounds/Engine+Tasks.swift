// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusRounds
internal import ApusTraining
internal import ApusWire

// What coordinators ask for.
extension Engine {
  // MARK: New tasks

  /// A new task, or the one of the same submit token.
  ///
  /// - Returns: its id.
  func createTask(
    _ request: Proto.CreateTaskRequest, by actor: String
  ) async throws(RPCError) -> String {
    try requireServing()
    guard let spec = request.spec else {
      throw RPCError(.invalidArgument, "The request has no spec.", reason: "invalid-value")
    }
    guard request.submitToken.utf8.count <= 100 else {
      throw RPCError(
        .invalidArgument, "A submit token has at most 100 bytes.", reason: "invalid-value")
    }
    let bytes = spec.encoded()
    if let known = try await task(submittedAs: request.submitToken) {
      guard known.spec == bytes else {
        throw RPCError(
          .alreadyExists, "Another task was created with this submit token.",
          reason: "submit-token-reused")
      }
      return known.id
    }
    guard !creating.contains(request.submitToken) else {
      throw RPCError(
        .aborted, "A task with this submit token is being created; ask again.", reason: "busy",
        retryAfter: .seconds(1))
    }
    if !request.submitToken.isEmpty { creating.insert(request.submitToken) }
    defer { creating.remove(request.submitToken) }
    let task = try await prepare(spec, bytes, submitToken: request.submitToken)
    if request.start {
      var changes = Changes()
      try control(task, .resume, by: actor, to: &changes)
      enqueue(changes)
    }
    try await commitDecided()
    return task.id
  }

  private func task(submittedAs token: String) async throws(RPCError) -> TaskRecord? {
    if token.isEmpty { return nil }
    do {
      return try await store.read { try $0.task(submittedAs: token) }
    } catch {
      throw unavailable()
    }
  }

  private struct FirstModel: Sendable {
    var plan: TaskPlan
    var planManifest: BlobManifest
    var modelManifest: BlobManifest
    var digest: [UInt8]
    var evaluator: ModelEvaluator?
    var number: UInt64
  }

  /// Looks at all of a specification, and makes what its first round needs durable.
  private func firstModel(
    _ spec: Proto.TaskSpec
  ) async throws -> FirstModel {
    let blobs = blobs
    let threads = settings.evaluationThreads
    let plan = try TaskPlan(spec)
    let model = try await Compute.run {
      Result { () throws -> ParameterVector in
        guard !spec.initialModel.isEmpty else {
          // A program for one example: what training asks for is looked at on the way.
          return try Program(plan.training.graph, loss: plan.training.loss, batchSize: 1)
            .initialParameters(seed: spec.seed)
        }
        return try Self.parameters(
          spec.initialModel, plan.layout.count, "initial_model", in: blobs)
      }
    }.get()
    let frozenCount = plan.training.graph.frozenLayout.count
    if !spec.frozenModel.isEmpty {
      _ = try Self.parameters(spec.frozenModel, frozenCount, "frozen_model", in: blobs)
    }
    let evaluator = try await Self.evaluator(for: plan, in: blobs, threads: threads)
    let number: UInt64 = try await store.read { transaction in
      try transaction.value("SELECT coalesce(max(number), 0) + 1 FROM tasks") ?? 1
    }
    return FirstModel(
      plan: plan, planManifest: try await blobs.write(plan.planBytes),
      modelManifest: try await blobs.write(model.littleEndianBytes), digest: model.digestBytes,
      evaluator: evaluator, number: number)
  }

  private static func parameters(
    _ digest: [UInt8], _ count: Int, _ field: String, in blobs: BlobStore
  ) throws -> ParameterVector {
    guard let digest = BlobDigest(bytes: digest) else {
      throw AggregatorError(.invalidValue, "The task's \(field) is no digest of 32 bytes.")
    }
    let blob = try blobs.open(digest)
    guard blob.count == 4 * count else {
      throw AggregatorError(
        .invalidValue,
        "The task's \(field) has \(blob.count) bytes; expected \(4 * count).")
    }
    let vector = ParameterVector(blob)
    guard vector.isFinite else {
      throw AggregatorError(.invalidValue, "The task's \(field) has numbers that are not finite.")
    }
    return vector
  }

  private func prepare(
    _ spec: Proto.TaskSpec, _ bytes: [UInt8], submitToken: String
  ) async throws(RPCError) -> LiveTask {
    let first: FirstModel
    do {
      first = try await firstModel(spec)
    } catch let error as AggregatorError {
      throw error.status
    } catch {
      throw RPCError(.invalidArgument, "\(error)", reason: "invalid-value")
    }
    lastTaskNumber = max(lastTaskNumber + 1, first.number)
    let (high, low) = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    let id = SHA256.hexadecimal(LeaseID(high: high, low: low).bytes)
    let record = TaskRecord(
      id: id, number: lastTaskNumber, name: spec.name, submitToken: submitToken, spec: bytes,
      state: .created, createdMs: clock.wall(),
      parameterCount: UInt64(first.plan.layout.count))
    let model = ModelRecord(
      info: Proto.ModelInfo {
        $0.taskId = id
        $0.version = 1
        $0.blob = Proto.BlobManifest(first.modelManifest)
        $0.modelDigest = first.digest
        $0.tensors = first.plan.tensors
        $0.createdMs = UInt64(max(clock.wall(), 0))
      })
    let task = LiveTask(
      plan: first.plan, record: record,
      machine: TaskMachine(
        roundsWanted: spec.rounds, abandonmentLimit: first.plan.cohort.abandonmentLimit),
      model: model, planManifest: first.planManifest, modelManifest: first.modelManifest)
    task.evaluator = first.evaluator
    tasks[id] = task
    metrics.set(.runningTasks, tasks.count)
    var changes = Changes()
    changes.add(.insertTask(record))
    changes.add(.insertModel(model))
    changes.add(.retainBlob(first.planManifest.digest, owner: "task:\(id)"))
    changes.add(.retainBlob(first.modelManifest.digest, owner: "model:\(id)/1"))
    for blob in [spec.evaluation?.examples ?? [], spec.initialModel, spec.frozenModel] {
      if let digest = BlobDigest(bytes: blob) {
        changes.add(.retainBlob(digest, owner: "task:\(id)"))
      }
    }
    note("The task is created.", task, model: model.info, to: &changes)
    audit("task.created", task, ["name": spec.name], to: &changes)
    enqueue(changes)
    log.info("A task is created.", ["task": id, "name": spec.name])
    return task
  }

  // MARK: Control

  /// The id of the task that a name or an id means.
  ///
  /// - Throws: `notFound`.
  func taskID(_ name: String) async throws(RPCError) -> String {
    if tasks[name] != nil { return name }
    let record: TaskRecord?
    do {
      record = try await store.read { try $0.task(named: name) }
    } catch {
      throw unavailable()
    }
    guard let record else {
      throw RPCError(
        .notFound, "There is no task of this id, or none or several of this name.",
        reason: "unknown-task")
    }
    return record.id
  }

  /// The same, for those who only read.
  func knownTask(_ name: String) async throws(RPCError) -> String {
    try requireServing(orDraining: true)
    return try await taskID(name)
  }

  /// Resumes, pauses or cancels a task.
  ///
  /// - Throws: `failedPrecondition` where its state does not allow that.
  func control(
    _ name: String, _ event: TaskMachine.Event, by actor: String
  ) async throws(RPCError) -> String {
    try requireServing()
    let id = try await taskID(name)
    guard let task = tasks[id] else {
      if event == .cancel, try await isCancelled(id) { return id }
      throw Self.refusal(.isOver)
    }
    var changes = Changes()
    try control(task, event, by: actor, to: &changes)
    enqueue(changes)
    try await commitDecided()
    return id
  }

  private func isCancelled(_ id: String) async throws(RPCError) -> Bool {
    let record = try? await store.read { try $0.task(named: id) }
    return record?.state == .cancelled
  }

  private static func refusal(_ refusal: TaskMachine.Refusal) -> RPCError {
    RPCError(.failedPrecondition, refusal.rawValue, reason: "wrong-state")
  }

  private func control(
    _ task: LiveTask, _ event: TaskMachine.Event, by actor: String, to changes: inout Changes
  ) throws(RPCError) {
    let before = task.machine.state
    let actions: [TaskMachine.Action]
    do {
      actions = try task.machine.handle(event)
    } catch {
      throw Self.refusal(error)
    }
    task.synchronize(at: clock.wall())
    let word = "\(task.machine.state)"
    if task.machine.state != before {
      changes.add(.updateTask(task.record))
      audit("task.\(word)", task, by: actor, to: &changes)
      if !task.machine.state.isTerminal { note("The task is \(word).", task, to: &changes) }
      log.info("A task changes.", ["task": task.id, "state": word])
    }
    for action in actions {
      switch action {
      case .beginRound:
        planRound(task, attempt: task.nextAttempt, to: &changes)
      case .abandonRound:
        enqueue(changes)
        changes = Changes()
        if let round = task.round {
          _ = round.machine.handle(.cancelled)
          abandon(task, round, code: RoundReport.Abandonment.cancelled.rawValue)
        }
      }
    }
    if task.machine.state.isTerminal, task.round == nil {
      enqueue(changes)
      changes = Changes()
      endIfOver(task)
    }
  }

  /// One round of a task that does not run.
  func launchRound(_ name: String, by actor: String) async throws(RPCError) -> Proto.RoundInfo {
    try requireServing()
    let id = try await taskID(name)
    guard let task = tasks[id] else { throw Self.refusal(.isOver) }
    var changes = Changes()
    try control(task, .launchRound, by: actor, to: &changes)
    audit("round.launched", task, by: actor, round: task.round, to: &changes)
    let info = task.round?.record.info ?? Proto.RoundInfo()
    enqueue(changes)
    try await commitDecided()
    return info
  }

  // MARK: Rollback

  /// Makes an earlier version the newest one.
  func rollback(
    _ request: Proto.ModelRef, by actor: String
  ) async throws(RPCError) -> Proto.ModelInfo {
    try requireServing()
    let id = try await taskID(request.task)
    let (record, older): (TaskRecord?, ModelRecord?)
    do {
      (record, older) = try await store.read { transaction in
        (try transaction.task(named: id), try transaction.model(of: id, version: request.version))
      }
    } catch {
      throw unavailable()
    }
    guard let record, let older, request.version > 0 else {
      throw RPCError(.notFound, "The task has no such version.", reason: "unknown-model")
    }
    guard let proto = older.info.blob, let manifest = try? BlobManifest(proto) else {
      throw RPCError(.internal, "The version's blob is not known.", reason: "damaged-store")
    }
    let task = tasks[id]
    // The round that runs began with another model.
    if let task, let round = task.round, !round.isGathering {
      _ = round.machine.handle(.cancelled)
      abandon(task, round, code: "rolled-back")
    }
    let newest = max(task?.record.modelVersion ?? 0, record.modelVersion)
    var info = older.info
    info.version = newest + 1
    info.parent = newest
    info.rollbackOf = older.info.version
    info.round = 0
    info.createdMs = UInt64(max(clock.wall(), 0))
    let model = ModelRecord(info: info, stateBlob: older.stateBlob)
    var changes = Changes()
    changes.add(.insertModel(model))
    let owner = "model:\(id)/\(info.version)"
    changes.add(.retainBlob(manifest.digest, owner: owner))
    if let state = BlobDigest(bytes: older.stateBlob) {
      changes.add(.retainBlob(state, owner: owner))
    }
    var changed = record
    if let task {
      task.record.modelVersion = info.version
      task.model = model
      task.modelManifest = manifest
      changed = task.record
    } else {
      changed.modelVersion = info.version
    }
    changes.add(.updateTask(changed))
    changes.add(
      .event(
        Proto.TaskEvent {
          $0.state = Proto.TaskState(rawValue: Int32(changed.state.rawValue))
          $0.model = info
          $0.message = "The model was rolled back."
        }, task: id))
    changes.add(
      .audit(
        actor: actor, action: "model.rolled-back", subject: "task/\(id)",
        detail: EventLog.json([
          "version": "\(info.version)", "equal_to": "\(info.rollbackOf)",
        ])))
    try await commit(changes)
    return info
  }
}
