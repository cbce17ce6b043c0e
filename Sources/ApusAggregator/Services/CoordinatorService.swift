// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// What coordinators ask an engine; invitations and devices are enrolment's.
struct CoordinatorService: Sendable {
  let engine: Engine
  let store: Store
  /// Begins to go down.
  let drain: @Sendable (Duration) async -> Proto.DrainReply
  let status: @Sendable () async -> Proto.ServerStatus

  func register(on router: inout CallRouter) {
    registerControl(on: &router)
    registerReading(on: &router)
    let (store, drain, status) = (store, drain, status)
    router.register(streaming: CoordinatorMethods.watchTask) {
      [self] (request, _, sender) async throws(RPCError) in
      try await watch(request, sender)
    }
    router.register(streaming: CoordinatorMethods.getAuditLog) {
      (request, _, sender) async throws(RPCError) in
      try await Self.sendAuditLog(request, of: store, sender)
    }
    router.register(CoordinatorMethods.verifyAuditChain) { (_, _) async throws(RPCError) in
      try await Self.reading(store) { transaction in
        let verdict = try transaction.verifiedAuditLog()
        let head = try transaction.auditHead()
        return Proto.VerifyAuditChainReply {
          $0.intact = verdict.isIntact
          $0.entries = verdict.entryCount
          $0.firstBroken = verdict.firstBroken ?? 0
          $0.head = head.hash
        }
      }
    }
    router.register(CoordinatorMethods.drain) { (request, _) async throws(RPCError) in
      await drain(.milliseconds(Int(clamping: request.graceMs)))
    }
    router.register(CoordinatorMethods.getServerStatus) { (_, _) async throws(RPCError) in
      await status()
    }
  }

  private func registerControl(on router: inout CallRouter) {
    let (engine, store) = (engine, store)
    router.register(CoordinatorMethods.createTask) { (request, head) async throws(RPCError) in
      let id = try await engine.createTask(request, by: head.actor)
      return try await Self.taskInfo(id, in: store)
    }
    for (method, event) in [
      (CoordinatorMethods.resumeTask, TaskMachine.Event.resume),
      (CoordinatorMethods.pauseTask, .pause), (CoordinatorMethods.cancelTask, .cancel),
    ] {
      router.register(method) { (request, head) async throws(RPCError) in
        let id = try await engine.control(request.task, event, by: head.actor)
        return try await Self.taskInfo(id, in: store)
      }
    }
    router.register(CoordinatorMethods.launchRound) { (request, head) async throws(RPCError) in
      try await engine.launchRound(request.task, by: head.actor)
    }
    router.register(CoordinatorMethods.rollbackModel) { (request, head) async throws(RPCError) in
      try await engine.rollback(request, by: head.actor)
    }
  }

  private func registerReading(on router: inout CallRouter) {
    let (engine, store) = (engine, store)
    router.register(CoordinatorMethods.listTasks) { (request, _) async throws(RPCError) in
      try await engine.requireServing(orDraining: true)
      return try await Self.reading(store) { transaction in
        let states = request.states.map { Int($0.rawValue) }
        let tasks = try transaction.tasks().filter {
          states.isEmpty || states.contains($0.state.rawValue)
        }
        return try Proto.ListTasksReply {
          $0.tasks = try tasks.map { try transaction.info(of: $0) }
        }
      }
    }
    router.register(CoordinatorMethods.getTask) { (request, _) async throws(RPCError) in
      let id = try await engine.knownTask(request.task)
      return try await Self.taskInfo(id, in: store)
    }
    router.register(CoordinatorMethods.listRounds) { (request, _) async throws(RPCError) in
      let id = try await engine.knownTask(request.task)
      return try await Self.reading(store) { transaction in
        try Proto.ListRoundsReply { $0.rounds = try transaction.rounds(of: id).map(\.info) }
      }
    }
    router.register(CoordinatorMethods.getRound) { (request, _) async throws(RPCError) in
      let id = try await engine.knownTask(request.task)
      return try await Self.reading(store) { transaction in
        guard let round = try transaction.newestRound(of: id, round: request.round) else {
          throw AggregatorError(.notFound, "The task has no round \(request.round) yet.")
        }
        return round.info
      }
    }
    router.register(CoordinatorMethods.listModels) { (request, _) async throws(RPCError) in
      let id = try await engine.knownTask(request.task)
      return try await Self.reading(store) { transaction in
        try Proto.ListModelsReply { $0.models = try transaction.models(of: id).map(\.info) }
      }
    }
    router.register(CoordinatorMethods.getModel) { (request, _) async throws(RPCError) in
      let id = try await engine.knownTask(request.task)
      return try await Self.reading(store) { transaction in
        let version: UInt64? = request.version == 0 ? nil : request.version
        guard let model = try transaction.model(of: id, version: version) else {
          throw AggregatorError(.notFound, "The task's model has no version \(request.version).")
        }
        return model.info
      }
    }
  }

  // MARK: Reading

  private static func reading<Value: Sendable>(
    _ store: Store, _ body: @escaping @Sendable (Transaction) throws -> Value
  ) async throws(RPCError) -> Value {
    do {
      return try await store.read(body)
    } catch let error as AggregatorError {
      throw error.status
    } catch let error as RPCError {
      throw error
    } catch {
      throw RPCError(.internal, "The state could not be read.", reason: "internal")
    }
  }

  private static func taskInfo(
    _ id: String, in store: Store
  ) async throws(RPCError) -> Proto.TaskInfo {
    try await reading(store) { transaction in
      guard let record = try transaction.task(named: id) else {
        throw AggregatorError(.notFound, "There is no such task.")
      }
      return try transaction.info(of: record)
    }
  }

  private static func sendAuditLog(
    _ request: Proto.GetAuditLogRequest, of store: Store, _ sender: ReplySender<Proto.AuditEntry>
  ) async throws(RPCError) {
    var last = request.afterSequence
    var left = request.limit == 0 ? UInt64.max : request.limit
    while left > 0 {
      let (after, limit) = (last, Int(min(left, 500)))
      let entries = try await reading(store) { transaction in
        try transaction.auditEntries(after: after, limit: limit)
      }
      guard let newest = entries.last else { return }
      for entry in entries {
        try await sender.send(
          Proto.AuditEntry {
            $0.sequence = entry.sequence
            $0.timeMs = UInt64(max(entry.time, 0))
            $0.actor = entry.actor
            $0.action = entry.action
            $0.subject = entry.subject
            $0.detail = entry.detail
            $0.hash = entry.hash
          })
      }
      last = newest.sequence
      left -= UInt64(entries.count)
    }
  }

  // MARK: Watching

  private func watch(
    _ request: Proto.WatchTaskRequest, _ sender: ReplySender<Proto.TaskEvent>
  ) async throws(RPCError) {
    let id = try await engine.knownTask(request.task)
    var last = request.afterSequence
    while true {
      let generation = await engine.generation(of: id)
      let after = last
      let (events, isOver) = try await Self.reading(store) { transaction in
        let record = try transaction.task(named: id)
        return (
          try transaction.events(of: id, after: after, limit: 256),
          (record?.state.isTerminal ?? true) && (record?.eventSequence ?? 0) <= after
        )
      }
      for bytes in events {
        guard let event = try? Proto.TaskEvent(decoding: bytes) else {
          throw RPCError(.dataLoss, "The database has a damaged event.", reason: "damaged-store")
        }
        try await sender.send(event)
        last = event.sequence
      }
      if !events.isEmpty { continue }
      if isOver { return }
      if Task.isCancelled { throw RPCError(.cancelled, "The caller has gone.") }
      try await engine.requireServing(orDraining: true)
      await engine.waitForEvents(of: id, since: generation)
    }
  }
}

extension Transaction {
  /// A task as people see it.
  func info(of record: TaskRecord) throws -> Proto.TaskInfo {
    let spec = try Proto.TaskSpec(decoding: record.spec)
    let model = try model(of: record.id)
    let round = try newestRound(of: record.id)
    return Proto.TaskInfo {
      $0.taskId = record.id
      $0.name = record.name
      $0.state = Proto.TaskState(rawValue: Int32(record.state.rawValue))
      $0.roundsPublished = record.roundsPublished
      $0.roundsWanted = spec.rounds
      $0.roundsAbandoned = record.roundsAbandoned
      $0.createdMs = UInt64(max(record.createdMs, 0))
      $0.endedMs = UInt64(max(record.endedMs, 0))
      $0.model = model?.info
      if let round, round.info.state.rawValue < Proto.RoundState.published.rawValue {
        $0.round = round.info
      }
      $0.problem = record.problem
      $0.eventSequence = record.eventSequence
      $0.parameterCount = record.parameterCount
      $0.recipe = spec.recipe
      $0.bestAccuracy = record.bestAccuracy ?? 0
    }
  }
}

extension CallHead {
  /// Who calls, for the audit log.
  var actor: String { peer.identity?.actor ?? "anonymous" }
}
