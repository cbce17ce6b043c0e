// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusRounds
internal import ApusWire

// What a restarted aggregator does before it serves: it takes up every task and round where the last
// incarnation's commits left them.
extension Engine {
  /// All that is known of a task that is not over.
  private struct Stored: Sendable {
    var record: TaskRecord
    var model: ModelRecord
    var history: [UInt64: Eligibility.History]
    var round: RoundRecord?
    var invitations: [InvitationRecord] = []
    var contributions: [ContributionRecord] = []
  }

  /// Reads the state, and goes on with it.
  ///
  /// - Parameter devices: as the books have them.
  /// - Throws: `damaged-store` where the state contradicts itself.
  func recover(devices: [(number: UInt64, id: String, facts: Eligibility.Device)]) async throws {
    for device in devices {
      self.devices[device.number] = LiveDevice(
        id: device.id, facts: device.facts,
        expectedUntil: now + settings.recoveryExpectation)
      numbers[device.id] = device.number
    }
    let stored = try await store.read { transaction in
      try transaction.tasks().filter { !$0.state.isTerminal }.map { record in
        try Self.stored(record, in: transaction)
      }
    }
    var leaseCount = 0
    for task in stored {
      leaseCount += task.invitations.count
      try await takeUp(task)
    }
    pace = PaceSteering(settings.pace, start: now, isRecovering: epoch > 1)
    state = .serving
    metrics.set(.runningTasks, tasks.count)
    log.info(
      "The aggregator serves.",
      [
        "epoch": "\(epoch)", "tasks": "\(tasks.count)", "devices": "\(devices.count)",
        "leases": "\(leaseCount)",
      ])
    // What was decided while rounds were taken up.
    for task in tasksInTurn {
      guard let round = task.round else { continue }
      if round.isGathering { continue }
      if round.machine.state == .combining {
        beginCombining(task, round)
      } else {
        closePlacesIfAlone(task, round)
      }
    }
    lookSoon()
    arm()
  }

  private static func stored(
    _ record: TaskRecord, in transaction: Transaction
  ) throws -> Stored {
    guard let model = try transaction.model(of: record.id, version: record.modelVersion) else {
      throw AggregatorError(.damagedStore, "A task's newest model is not in the database.")
    }
    var stored = Stored(
      record: record, model: model,
      history: Dictionary(
        try transaction.participations(in: record.id).map { ($0.device, $0.history) }
      ) { first, _ in first },
      round: try transaction.newestRound(of: record.id))
    if let round = stored.round, round.info.state.rawValue < Proto.RoundState.published.rawValue {
      stored.invitations = try transaction.invitations(to: round.key)
      stored.contributions = try transaction.contributions(to: round.key)
    }
    return stored
  }

  private func takeUp(_ stored: Stored) async throws {
    let record = stored.record
    let plan = try TaskPlan(Proto.TaskSpec(decoding: record.spec))
    guard let proto = stored.model.info.blob else {
      throw AggregatorError(.damagedStore, "A task's newest model has no blob.")
    }
    let hasRound =
      stored.round.map { $0.info.state.rawValue < Proto.RoundState.published.rawValue } ?? false
    // The same bytes as before: the blob is there.
    let planManifest = try await blobs.write(plan.planBytes)
    let task = LiveTask(
      plan: plan, record: record,
      machine: TaskMachine(
        state: record.state, roundsWanted: plan.spec.rounds,
        abandonmentLimit: plan.cohort.abandonmentLimit, roundsPublished: record.roundsPublished,
        roundsAbandoned: record.roundsAbandoned, abandonedInARow: record.abandonedInARow,
        hasRound: hasRound),
      model: stored.model, planManifest: planManifest, modelManifest: try BlobManifest(proto))
    task.history = stored.history
    tasks[task.id] = task
    if let round = stored.round, round.key.round == record.roundsPublished {
      task.nextAttempt = round.key.attempt + 1
    }
    guard hasRound, let round = stored.round else {
      // A running task has a round: its last one ended with a commit that planned the next.
      return
    }
    task.round = await takeUp(round, stored, of: task)
    if let machine = task.round?.machine, case .over(.abandoned(let reason)) = machine.state,
      let round = task.round
    {
      abandon(task, round, code: reason.rawValue)
    }
  }

  /// Brings a round's machine to where it was, by the events that were durable.
  private func takeUp(
    _ record: RoundRecord, _ stored: Stored, of task: LiveTask
  ) async -> LiveRound {
    let round = liveRound(record, of: task)
    guard record.info.state.rawValue >= Proto.RoundState.collecting.rawValue else { return round }
    _ = round.machine.handle(.start(population: Int(clamping: record.population)))
    _ = round.machine.handle(.opened(stored.invitations.map { ClientID($0.device) }))
    let submitted = Set(stored.contributions.map(\.device))
    let accepted = stored.contributions.filter(\.isAccepted)
    for contribution in stored.contributions where !contribution.isAccepted {
      let client = ClientID(contribution.device)
      _ = round.machine.handle(.arrived(client, receipt: 0))
      _ = round.machine.handle(.rejected(client, reason: contribution.reason))
    }
    for contribution in accepted {
      let receipt = contribution.idempotencyKey.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
      _ = round.machine.handle(.arrived(ClientID(contribution.device), receipt: receipt))
    }
    if record.openPlaces == 0 { _ = round.machine.handle(.placesClosed) }
    let (fold, expected) = (round.fold, Set(accepted.map(\.device)))
    let folded = await Compute.run { fold.restore(expecting: expected) }
    for contribution in accepted {
      guard let digest = BlobDigest(bytes: contribution.blob) else { continue }
      round.accepted[contribution.device] = digest
      round.lossSum += contribution.lossSum
      round.stepCount += contribution.stepCount
      let weight = Int(clamping: contribution.weight)
      if folded.contains(contribution.device) {
        _ = round.machine.handle(
          .folded(
            ClientID(contribution.device), weight: task.plan.rule.weight(forDeclared: weight)))
      } else {
        round.pending.append(
          FoldItem(
            device: contribution.device, blob: digest, format: round.check.format,
            weight: weight))
      }
    }
    // Deadlines are durations, and begin anew: nobody could hand anything in meanwhile.
    let moment = now + .milliseconds(Int(clamping: task.plan.cohort.reportMs))
    round.deadline = moment
    schedule(.deadline(record.key), at: moment)
    for invitation in stored.invitations where !submitted.contains(invitation.device) {
      if invitation.isLost {
        _ = round.machine.handle(.droppedOut(ClientID(invitation.device)))
      } else {
        // Void for work, and the device's place in the round until it ends.
        _ = leases.grant(
          invitation.lease, to: ClientID(invitation.device), for: record.key,
          epoch: invitation.epoch, until: now + settings.lease)
      }
    }
    task.round = round
    foldPending(task, round)
    return round
  }
}
