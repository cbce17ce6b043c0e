// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusRounds
internal import ApusWire

// Rounds until they have their updates: planned, selecting, collecting.
extension Engine {
  /// A new round, or the next attempt of one that was abandoned.
  func planRound(_ task: LiveTask, attempt: UInt64, to changes: inout Changes) {
    let key = RoundKey(task: task.id, round: task.machine.roundsPublished, attempt: attempt)
    let info = Proto.RoundInfo {
      $0.taskId = task.id
      $0.round = key.round
      $0.attempt = attempt
      $0.state = .planned
      $0.startedMs = UInt64(max(clock.wall(), 0))
    }
    guard let policy = try? task.plan.policy(fitting: max(devices.count, 1)) else { return }
    let record = RoundRecord(key: key, policy: policy, info: info)
    let round = liveRound(record, of: task)
    task.round = round
    note("A round is planned.", task, round, to: &changes)
    audit("round.planned", task, round: round, to: &changes)
    lookSoon()
  }

  func liveRound(_ record: RoundRecord, of task: LiveTask) -> LiveRound {
    LiveRound(
      record: record,
      machine: RoundStateMachine(round: Int(record.key.round), policy: record.policy),
      fold: fold(record, of: task), check: task.plan.updateCheck, phaseStart: now)
  }

  private func fold(_ record: RoundRecord, of task: LiveTask) -> RoundFold {
    let blobs = blobs
    return RoundFold(
      parameterCount: task.plan.layout.count,
      bounds: task.plan.bounds(goal: record.policy.goal), rule: task.plan.rule,
      checkpoint: FoldCheckpoint(in: foldDirectory, for: record.key),
      opening: { digest in try blobs.open(digest, isReadWhole: true) })
  }

  // MARK: Selecting

  /// Who is there for a round, who is expected, and how many fit by the books.
  private func turnout(
    for task: LiveTask, _ round: LiveRound
  ) -> (present: [UInt64], expected: Int, fitting: Int) {
    let now = now
    var (present, expected, fitting): ([UInt64], Int, Int) = ([], 0, 0)
    for (number, device) in devices {
      guard Eligibility.obstacle(to: device.facts, for: task.demand) == nil else { continue }
      fitting += 1
      guard leases.lease(of: device.facts.number) == nil,
        obstacle(to: device, number, in: task, round) == nil
      else { continue }
      if device.waiter != nil {
        if device.restsUntil <= now { present.append(number) }
      } else if device.expectedUntil > now {
        expected += 1
      }
    }
    return (present.sorted(), expected, fitting)
  }

  /// Begins a round, where enough devices are there.
  func tryToOpen(_ task: LiveTask) {
    guard state == .serving, failure == nil, let round = task.round, round.isGathering else {
      return
    }
    let (present, expected, fitting) = turnout(for: task, round)
    guard let policy = try? task.plan.policy(fitting: fitting) else { return }
    let population = present.count + expected
    // Of few, so many must be there at once; many come one after the other while the round collects.
    let quorum = population > settings.pace.crowd ? 1 : policy.quorum
    guard present.count >= max(quorum, Int(clamping: task.plan.cohort.minimum)),
      population >= policy.quorum
    else {
      round.gatheredAt = nil
      return
    }
    if present.count < policy.invitationCount(population: population) {
      // Enough to begin, and more may come at this moment.
      let moment = round.gatheredAt ?? now + settings.gathering
      round.gatheredAt = moment
      guard moment <= now else {
        if round.record.info.state == .planned {
          var changes = Changes()
          round.record.info.state = .selecting
          note("The round waits for devices.", task, round, to: &changes)
          enqueue(changes)
        }
        return schedule(.gathering, at: moment)
      }
    }
    open(task, round, policy, present: present, population: population)
  }

  private func open(
    _ task: LiveTask, _ round: LiveRound, _ policy: RoundPolicy, present: [UInt64],
    population: Int
  ) {
    round.record.policy = policy
    round.record.population = UInt64(population)
    round.machine = RoundStateMachine(round: Int(round.key.round), policy: policy)
    round.fold = fold(round.record, of: task)
    guard case .select(let count)? = round.machine.handle(.start(population: population)).first
    else { return }
    var chosen = present
    if present.count > count {
      var stream = RunStreams(seed: task.plan.spec.seed).cohort(inRound: Int(round.key.round))
      // Another attempt invites others.
      if round.key.attempt > 1 { stream = stream.split(round.key.attempt) }
      chosen = stream.sample(count, outOf: present.count).map { present[$0] }
    }
    round.record.info.selectSeconds = round.endPhase(at: now)
    round.record.info.state = .collecting
    task.served = now
    log.info(
      "A round begins.",
      [
        "task": task.id, "round": "\(round.key.round)", "attempt": "\(round.key.attempt)",
        "invited": "\(chosen.count)",
      ])
    perform(round.machine.handle(.opened(chosen.map { ClientID($0) })), task, round)
    closePlacesIfAlone(task, round)
  }

  /// Closes the open places of a round for which nobody is expected.
  func closePlacesIfAlone(_ task: LiveTask, _ round: LiveRound) {
    guard round.machine.openPlaceCount > 0 else { return }
    let now = now
    let others = devices.filter { number, device in
      !round.machine.hasInvited(ClientID(number))
        && (device.waiter != nil || device.expectedUntil > now || device.restsUntil > now)
        && obstacle(to: device, number, in: task, round) == nil
    }
    if others.isEmpty {
      perform(round.machine.handle(.placesClosed), task, round)
    } else {
      let next = others.values.map { max($0.expectedUntil, $0.restsUntil) }.max() ?? now
      schedule(.openPlaces(round.key), at: max(next, now + settings.gathering))
    }
  }

  /// A device that is there has no work: a round may want it.
  ///
  /// - Parameters:
  ///   - number: of the device.
  ///   - isAsking: whether it asks once, rather than waits.
  func deviceIsFree(_ number: UInt64, isAsking: Bool = false) {
    guard state == .serving, let device = devices[number],
      device.waiter != nil || isAsking, device.restsUntil <= now,
      leases.lease(of: ClientID(number)) == nil
    else { return }
    for task in tasksInTurn {
      guard let round = task.round else { continue }
      let client = ClientID(number)
      if round.machine.hasInvited(client) {
        // It was lost, and is back before the round is over, which waits for it again.
        guard round.machine.isWaiting(for: client) else { continue }
        round.missed.remove(number)
        _ = round.machine.handle(.joined(client))
        return invite([number], task, round)
      }
      guard obstacle(to: device, number, in: task, round) == nil else { continue }
      if round.isGathering {
        lookSoon()
      } else if round.machine.openPlaceCount > 0 {
        let actions = round.machine.handle(.joined(client))
        if !actions.isEmpty { return perform(actions, task, round) }
      } else {
        reconsiderMissed(task, round)
      }
    }
  }

  /// Gives devices their leases, and their assignments when these are durable.
  private func invite(_ numbers: [UInt64], _ task: LiveTask, _ round: LiveRound) {
    var changes = Changes()
    var given: [Lease] = []
    let planSize = UInt64(task.plan.planBytes.count)
    for number in numbers {
      let lease = grant(to: number, in: round)
      given.append(lease)
      changes.add(.saveInvitation(invitation(lease)))
      let cached = devices[number]?.cached ?? []
      round.record.info.bytesDown += task.modelManifest.size
      if !cached.contains(task.planManifest.digest.bytes) {
        round.record.info.bytesDown += planSize
      }
    }
    metrics.add(.assignments, numbers.count)
    task.served = now
    note("Devices were invited.", task, round, to: &changes)
    audit(
      "round.invited", task, round: round, ["devices": "\(numbers.count)"], to: &changes)
    let key = round.key
    enqueue(changes) { [given] engine in engine.deliver(given, of: key) }
  }

  private func deliver(_ given: [Lease], of key: RoundKey) {
    guard let (task, round) = round(of: key) else { return }
    for lease in given {
      guard leases[lease.id] != nil, let waiter = devices[lease.device.rawValue]?.waiter else {
        continue
      }
      leases.renew(lease.id, until: now + settings.lease)
      deliver(assignment(task, round, lease), to: waiter)
    }
    arm()
  }

  // MARK: What the machine asks for

  func perform(_ actions: [RoundStateMachine.Action], _ task: LiveTask, _ round: LiveRound) {
    for action in actions {
      switch action {
      case .broadcast(let clients): invite(clients.map(\.rawValue), task, round)
      case .startDeadline:
        let moment = now + .milliseconds(Int(clamping: task.plan.cohort.reportMs))
        round.deadline = moment
        schedule(.deadline(round.key), at: moment)
      case .combine: beginCombining(task, round)
      case .abandon(let report):
        if case .abandoned(let reason) = report.outcome {
          abandon(task, round, code: reason.rawValue)
        }
      case .select, .fold, .confirm, .refuse, .commit, .finish: break
      }
    }
  }

  func deadlinePassed(_ key: RoundKey) {
    guard let (task, round) = round(of: key), round.machine.state == .collecting,
      let deadline = round.deadline, deadline <= now
    else { return }
    var changes = Changes()
    let here = round.machine.foldedCount + round.machine.foldingCount
    if task.plan.cohort.late == .extend, !round.record.isExtended,
      here < round.machine.policy.quorum
    {
      round.record.isExtended = true
      let moment = now + .milliseconds(Int(clamping: task.plan.cohort.reportMs))
      round.deadline = moment
      schedule(.deadline(key), at: moment)
      note("The deadline is put off: the quorum is missed.", task, round, to: &changes)
      return enqueue(changes)
    }
    let actions = round.machine.handle(.deadlinePassed)
    note("The deadline has passed.", task, round, to: &changes)
    enqueue(changes)
    perform(actions, task, round)
  }

  // MARK: Rounds that come to nothing

  /// Ends a round without a model.
  ///
  /// - Parameters:
  ///   - task: whose round it is.
  ///   - round: whose machine is over.
  ///   - code: why.
  ///   - isFailure: whether it is our own fault, or that of what was trained.
  func abandon(
    _ task: LiveTask, _ round: LiveRound, code: String, isFailure: Bool = false
  ) {
    guard !round.isClosed else { return }
    round.isClosed = true
    task.round = nil
    round.record.info.state = isFailure ? .failed : .abandoned
    round.record.info.abandonment = code
    round.record.info.endedMs = UInt64(max(clock.wall(), 0))
    metrics.add(.roundsAbandoned)
    log.warning(
      "A round is abandoned.",
      [
        "task": task.id, "round": "\(round.key.round)", "attempt": "\(round.key.attempt)",
        "reason": code,
      ])
    var changes = Changes()
    audit("round.abandoned", task, round: round, ["reason": code], to: &changes)
    let actions = (try? task.machine.handle(.roundAbandoned)) ?? []
    if task.machine.state.isTerminal { changes.add(.releaseBlobs(owner: round.blobOwner)) }
    if task.machine.state == .failed, task.record.problem.isEmpty {
      task.record.problem =
        "\(task.machine.abandonedInARow) rounds in a row were abandoned, the last for: \(code)."
    }
    task.synchronize(at: clock.wall())
    note("A round was abandoned.", task, round, to: &changes)
    changes.add(.updateTask(task.record))
    task.nextAttempt = round.key.attempt + 1
    if actions.contains(.beginRound) {
      planRound(task, attempt: task.nextAttempt, to: &changes)
    }
    let fold = round.fold
    enqueue(changes) { engine in
      fold.discard()
      engine.removeReleasedBlobs()
    }
    endLeases(of: round)
    endIfOver(task)
    resumeDrainersIfIdle()
  }

  /// Ends the leases of a round that wants no more updates; their devices are free.
  func endLeases(of round: LiveRound) {
    let over = leases.leases(of: round.key)
    for lease in over { leases.end(lease.id) }
    for lease in over { cancelled(lease) }
    metrics.set(.leases, leases.count)
    if !over.isEmpty { lookSoon() }
  }

  /// Lets go of a task that is over.
  func endIfOver(_ task: LiveTask) {
    guard task.machine.state.isTerminal, task.round == nil, tasks[task.id] === task else { return }
    var changes = Changes()
    let word = "\(task.machine.state)"
    audit("task.\(word)", task, to: &changes)
    note("The task is \(word).", task, to: &changes)
    tasks[task.id] = nil
    metrics.set(.runningTasks, tasks.count)
    log.info("A task is over.", ["task": task.id, "state": word])
    enqueue(changes)
    resumeDrainersIfIdle()
  }
}
