// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusData
internal import ApusNumerics
internal import ApusRounds
internal import ApusTraining
internal import Synchronization

/// Rounds of one algorithm over virtual clients, all on this machine.
///
/// Memory is O(threads × model + cohort), whatever the number of clients registered. The bytes of the
/// model do not depend on the number of threads: sums are exact, and whatever is random belongs to a
/// (seed, round, client, use).
final class Simulation<Algorithm: FederatedAlgorithm> where Algorithm.ClientState == NoState {
  let algorithm: Algorithm
  let rule: any LinearAggregationRule<Algorithm.Update>
  let setup: SimulationSetup
  private(set) var server: Server<Algorithm.ServerState>
  /// What each worker added up, kept from round to round for its memory; nil until its first update.
  private let sums: Slots<WeightedSum<Algorithm.Update>?>

  init(
    _ algorithm: Algorithm, combinedBy rule: any LinearAggregationRule<Algorithm.Update>,
    on setup: SimulationSetup, startingAt server: Server<Algorithm.ServerState>
  ) {
    self.algorithm = algorithm
    self.rule = rule
    self.setup = setup
    self.server = server
    sums = Slots(repeating: nil, count: setup.team.threadCount)
  }

  /// Runs the next round and commits it.
  ///
  /// - Parameter stopRequested: asked before every client; a round that is stopped leaves no trace.
  /// - Returns: what happened; nil where the round was stopped.
  /// - Throws: `diverged`, when a client's loss is not finite; the model stays what it was.
  func runRound(stopRequested: @Sendable () -> Bool) throws(SimulationError) -> RoundOutcome? {
    let stopwatch = Stopwatch()
    var machine = RoundStateMachine(round: server.round, policy: setup.policy)
    var outcome = RoundOutcome()
    outcome.jobs = collect(&machine, &outcome)
    guard let results = train(outcome.jobs, stopRequested: stopRequested) else {
      return nil
    }
    outcome.results = results
    try refuseDivergence(in: outcome)
    outcome.trainSeconds = stopwatch.seconds

    for (job, result) in zip(outcome.jobs, results) {
      let id = ClientID(UInt64(job.client))
      let event: RoundStateMachine.Event =
        switch result.verdict {
        case .folded(let weight): .folded(id, weight: weight)
        case .rejected(let code, _): .rejected(id, reason: code)
        }
      perform(machine.handle(event), &machine, &outcome)
    }
    server.round += 1
    outcome.aggregateSeconds = stopwatch.seconds - outcome.trainSeconds
    return outcome
  }

  /// Lets the machine invite a cohort and hear from those who report.
  ///
  /// - Returns: the clients whose updates the machine wants, in the cohort's order.
  private func collect(
    _ machine: inout RoundStateMachine, _ outcome: inout RoundOutcome
  ) -> [ClientJob] {
    var actions = machine.handle(.start(population: setup.data.clientCount))
    if case .select(let count)? = actions.first {
      var stream = setup.streams.cohort(inRound: server.round)
      let cohort = stream.sample(count, outOf: setup.data.clientCount)
      actions = machine.handle(.selected(cohort.map { ClientID(UInt64($0)) }))
      if case .broadcast? = actions.first {
        return arrivals(of: cohort, at: &machine, &outcome)
      }
    }
    outcome.note(actions)
    return []
  }

  private func arrivals(
    of cohort: [Int], at machine: inout RoundStateMachine, _ outcome: inout RoundOutcome
  ) -> [ClientJob] {
    let fates = setup.system.fates(
      of: cohort, inRound: server.round, localEpochs: algorithm.localEpochs)
    var order = Array(cohort.indices)
    if setup.policy.overSelection > 1 {
      // Who comes after the goal is reached is not needed, so the order decides.
      var stream = setup.streams.arrival(inRound: server.round)
      stream.shuffle(&order)
    }
    var isWanted = [Bool](repeating: false, count: cohort.count)
    for place in order {
      let id = ClientID(UInt64(cohort[place]))
      let isLost =
        switch fates[place] {
        case .reports: false
        case .manages: !algorithm.acceptsPartialWork
        case .dropsOut: true
        }
      let actions = machine.handle(isLost ? .droppedOut(id) : .arrived(id, receipt: 0))
      if case .fold? = actions.first { isWanted[place] = true }
      outcome.note(actions)
    }
    if machine.isOver { return [] }
    return cohort.indices.filter { isWanted[$0] }.map { place in
      if case .manages(let epochs) = fates[place] {
        ClientJob(client: cohort[place], epochLimit: epochs)
      } else {
        ClientJob(client: cohort[place])
      }
    }
  }

  /// Trains every client of the work list on the first free worker, and adds up what they send.
  ///
  /// - Returns: a result for every job; nil where a stop was requested.
  private func train(
    _ jobs: [ClientJob], stopRequested: @Sendable () -> Bool
  ) -> [ClientResult]? {
    let results = Slots(repeating: ClientResult(), count: jobs.count)
    for worker in 0..<setup.team.threadCount { sums[worker]?.removeAll() }
    let work = ClientWork(
      algorithm: algorithm, rule: rule, setup: setup, round: server.round,
      broadcast: algorithm.broadcast(from: server),
      updateLengths: algorithm.updateLengths(parameterCount: server.model.count))
    let isStopped = Atomic(false)
    setup.team.forEach(count: jobs.count) { [sums] worker, place in
      if isStopped.load(ordering: .relaxed) { return }
      if stopRequested() {
        isStopped.store(true, ordering: .relaxed)
        return
      }
      results[place] = work.perform(jobs[place], as: worker, addingTo: &sums[worker])
    }
    return isStopped.load(ordering: .relaxed) ? nil : results.values
  }

  /// A loss that is not finite, or a round in which nobody's numbers can be counted, ends the run:
  /// clients are honest here, so it is the training that went wrong.
  private func refuseDivergence(in outcome: RoundOutcome) throws(SimulationError) {
    let diverged = zip(outcome.jobs, outcome.results).filter { !$0.1.lossSum.isFinite }
    let what: String
    if !diverged.isEmpty {
      what = "the loss of \(RoundOutcome.names(of: diverged.map(\.0.client))) is not finite"
    } else if case let clients = outcome.clientsBeyondNumbers, !clients.isEmpty {
      what =
        "no update can be counted; those of \(RoundOutcome.names(of: clients)) have numbers that are "
        + "not finite or beyond the bound of \(setup.bounds.coordinate)"
    } else {
      return
    }
    throw SimulationError(.diverged, "Training diverged in round \(server.round + 1): \(what).")
  }

  /// Does what the machine says once all updates are in.
  private func perform(
    _ actions: [RoundStateMachine.Action], _ machine: inout RoundStateMachine,
    _ outcome: inout RoundOutcome
  ) {
    for action in actions {
      switch action {
      case .combine:
        let mean = mean()
        if let mean { algorithm.serverUpdate(&server, with: mean) }
        let next = machine.handle(mean == nil ? .notCombinable : .combined)
        perform(next, &machine, &outcome)
      case .commit:
        // Durable or not is the checkpoint's business: a round that was not is run again, to the byte.
        perform(machine.handle(.committed), &machine, &outcome)
      default:
        break
      }
    }
    outcome.note(actions)
  }

  /// The mean of what all workers added up; nil where nothing was counted.
  private func mean() -> Algorithm.Update? {
    let workers = (0..<setup.team.threadCount).filter { sums[$0] != nil }
    guard let first = workers.first else { return nil }
    for worker in workers.dropFirst() {
      // Sums of the same bounds; the bound on contributions holds for the whole cohort.
      guard let other = sums[worker], (try? sums[first]?.merge(other)) != nil else { return nil }
    }
    return sums[first]?.mean()
  }
}
