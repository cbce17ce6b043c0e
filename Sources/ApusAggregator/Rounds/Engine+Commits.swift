// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

// What the engine decides becomes durable in the order in which it was decided: changes that come while a commit
// is under way wait, and then go together.
extension Engine {
  /// Makes changes durable.
  ///
  /// - Throws: `unavailable` where they could not be made so; nothing goes on then.
  func commit(_ changes: Changes) async throws(RPCError) {
    if changes.isEmpty { return }
    do {
      try await withCheckedThrowingContinuation { continuation in
        enqueue(changes, committer: continuation)
      }
    } catch {
      throw RPCError(
        .unavailable, "The aggregator's state cannot be written; it stops.", reason: "store-failed",
        retryAfter: .seconds(5))
    }
  }

  /// Makes changes durable after those that were given before.
  ///
  /// - Parameters:
  ///   - changes: what to write.
  ///   - followUp: done when they are durable.
  func enqueue(
    _ changes: Changes, then followUp: (@Sendable (isolated Engine) -> Void)? = nil
  ) {
    if let followUp { followUps.append(followUp) }
    enqueue(changes, committer: nil)
  }

  /// Makes changes durable with those that come next, or soon: nobody hears of them before.
  func enqueueLater(_ changes: Changes) {
    guard failure == nil else { return }
    queued.append(changes)
    if !isCommitting { schedule(.commit, at: now + settings.commitDelay) }
  }

  /// Commits what waits.
  func commitSoon() {
    guard failure == nil, !queued.isEmpty, !isCommitting else { return }
    isCommitting = true
    Task { await self.commitQueued() }
  }

  private func enqueue(_ changes: Changes, committer: CheckedContinuation<Void, any Error>?) {
    if let failure {
      committer?.resume(throwing: failure)
      return
    }
    queued.append(changes)
    if let committer { committers.append(committer) }
    commitSoon()
  }

  private func commitQueued() async {
    while !queued.isEmpty {
      let (batch, waiting, following) = (queued, committers, followUps)
      (queued, committers, followUps) = ([], [], [])
      do {
        try await store.write { transaction in
          for changes in batch { try changes.apply(to: transaction) }
        }
        for followUp in following { followUp(self) }
        for committer in waiting { committer.resume() }
        announce(batch.reduce(into: []) { $0.formUnion($1.tasks) })
      } catch {
        // What is in memory is not what is durable: only a restart mends that.
        failure = error
        log.error("A commit failed.", ["error": "\(error)"])
        store.fail(
          error as? AggregatorError
            ?? AggregatorError(.fileSystem, "A commit failed: \(error)", cause: error))
        for committer in waiting + committers { committer.resume(throwing: error) }
        (queued, committers, followUps) = ([], [], [])
      }
    }
    isCommitting = false
  }

  // MARK: Who watches

  private func announce(_ tasks: Set<String>) {
    for task in tasks {
      generations[task, default: 0] += 1
      for waiter in (watchers.removeValue(forKey: task) ?? [:]).values { waiter.resume() }
    }
  }

  /// Counts up with every commit that has events of a task; to be asked before its events are read.
  func generation(of task: String) -> UInt64 { generations[task] ?? 0 }

  /// Returns when a task may have events that came after a generation, or the caller's task is cancelled.
  func waitForEvents(of task: String, since generation: UInt64) async {
    guard self.generation(of: task) == generation, state != .stopped else { return }
    watcherCount += 1
    let ticket = watcherCount
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if Task.isCancelled {
          continuation.resume()
        } else {
          watchers[task, default: [:]][ticket] = continuation
        }
      }
    } onCancel: {
      Task { await self.stopWatching(task, ticket) }
    }
  }

  private func stopWatching(_ task: String, _ ticket: Int) {
    watchers[task]?.removeValue(forKey: ticket)?.resume()
  }

  func wakeWatchers() { announce(Set(watchers.keys)) }

  // MARK: Words for it

  /// Adds what has changed of a round, as an event of its task.
  func note(
    _ message: String, _ task: LiveTask, _ round: LiveRound? = nil, model: Proto.ModelInfo? = nil,
    to changes: inout Changes
  ) {
    if let round {
      round.synchronize()
      changes.add(.saveRound(round.record))
    }
    changes.add(
      .event(
        Proto.TaskEvent {
          $0.state = Proto.TaskState(rawValue: Int32(task.machine.state.rawValue))
          $0.round = round?.record.info
          $0.model = model
          $0.message = message
        }, task: task.id))
  }

  /// Adds an entry to the audit log.
  func audit(
    _ action: String, _ task: LiveTask, by actor: String = "aggregator", round: LiveRound? = nil,
    _ detail: [String: String] = [:], to changes: inout Changes
  ) {
    var detail = detail
    if let round {
      detail["round"] = "\(round.key.round)"
      detail["attempt"] = "\(round.key.attempt)"
    }
    changes.add(
      .audit(
        actor: actor, action: action, subject: "task/\(task.id)", detail: EventLog.json(detail)))
  }
}
