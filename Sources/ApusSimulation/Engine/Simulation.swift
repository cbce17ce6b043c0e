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
/// Memory is O(threads × model) and some bytes for each client of the cohort (its number and its standing),
/// whatever the number of clients registered. The bytes of the model do not depend on the number of threads: sums are exact, and whatever is random belongs to a
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
  /// - Parameters:
  ///   - stopRequested: asked before every client; a round that is stopped leaves no trace.
  ///   - onResult: told of every client's work, in the cohort's order, also of a round that fails later.
  /// - Returns: what happened; nil where the round was stopped.
  /// - Throws: `diverged`, when a client's loss is not finite; the model stays what it was.
  func runRound(
    stopRequested: @Sendable () -> Bool,
    onResult: (ClientJob, ClientResult) -> Void = { _, _ in }
  ) throws(SimulationError) -> RoundOutcome? {
    let stopwatch = Stopwatch()
    var machine = RoundStateMachine(round: server.round, policy: setup.policy)
    var outcome = RoundOutcome()
    outcome.jobs = collect(&machine, &outcome)
    var lastActions: [RoundStateMachine.Action] = []
    let isComplete = train(outcome.jobs, stopRequested: stopRequested) { job, result in
      outcome.tally.add(result, of: job.client)
      onResult(job, result)
      let id = ClientID(UInt64(job.client))
      let event: RoundStateMachine.Event =
        switch result.verdict {
        case .folded(let weight): .folded(id, weight: weight)
        case .rejected(let code, _): .rejected(id, reason: code)
        }
      lastActions += machine.handle(event)
    }
    guard isComplete else { return nil }
    try refuseDivergence(in: outcome.tally)
    outcome.trainSeconds = stopwatch.seconds

    perform(lastActions, &machine, &outcome)
    server.round += 1
    outcome.aggregateSeconds = stopwatch.seconds - outcome.trainSeconds
    return outcome
  }

  /// Lets the machine invite a cohort and hear from those who report.
  ///
  /// - Returns: the clients whose updates the machine wants, in the cohort's order.
  private func collect(
    _ machine: inout RoundStateMachine, _ outcome: inout RoundOutcome
  ) -> RoundJobs {
    var actions = machine.handle(.start(population: setup.data.clientCount))
    if case .select(let count)? = actions.first {
      let cohort = cohort(of: count)
      actions = machine.handle(.selected(cohort))
      if case .broadcast? = actions.first {
        return arrivals(of: cohort, at: &machine, &outcome)
      }
    }
    outcome.note(actions)
    return RoundJobs()
  }

  private func cohort(of count: Int) -> [ClientID] {
    let population = setup.data.clientCount
    // Nothing is drawn for everybody, and a list of numbers beside that of the clients is saved.
    if count == population { return (0..<count).map { ClientID(UInt64($0)) } }
    var stream = setup.streams.cohort(inRound: server.round)
    return stream.sample(count, outOf: population).map { ClientID(UInt64($0)) }
  }

  private func arrivals(
    of cohort: [ClientID], at machine: inout RoundStateMachine, _ outcome: inout RoundOutcome
  ) -> RoundJobs {
    let fates = setup.system.fates(
      of: cohort, inRound: server.round, localEpochs: algorithm.localEpochs)
    var order: [Int32]?
    if setup.policy.overSelection > 1 {
      // Who comes after the goal is reached is not needed, so the order decides.
      var stream = setup.streams.arrival(inRound: server.round)
      var shuffled = cohort.indices.map { Int32($0) }
      stream.shuffle(&shuffled)
      order = shuffled
    }
    var isWanted = [Bool](repeating: false, count: cohort.count)
    for turn in cohort.indices {
      let place = order.map { Int($0[turn]) } ?? turn
      let isLost =
        switch fates[place] {
        case .reports: false
        case .manages: !algorithm.acceptsPartialWork
        case .dropsOut: true
        }
      let actions = machine.handle(
        isLost ? .droppedOut(cohort[place]) : .arrived(cohort[place], receipt: 0))
      if case .fold? = actions.first { isWanted[place] = true }
      outcome.note(actions)
    }
    return machine.isOver ? RoundJobs() : RoundJobs(of: cohort, fates: fates, isWanted: isWanted)
  }

  /// Clients whose results wait for those before them: so many that waiting for the last one of them
  /// costs nothing, and few enough that their results take no memory.
  private static var clientsAtOnce: Int { 4096 }

  /// Trains every client of the work list on the first free worker, and adds up what they send.
  ///
  /// - Parameters:
  ///   - jobs: the work list.
  ///   - stopRequested: asked before every client.
  ///   - onResult: told of every client's work, in order, on this thread.
  /// - Returns: whether all were trained; not where a stop was requested.
  private func train(
    _ jobs: RoundJobs, stopRequested: @Sendable () -> Bool,
    onResult: (ClientJob, ClientResult) -> Void
  ) -> Bool {
    let results = Slots(
      repeating: ClientResult(), count: min(jobs.count, Self.clientsAtOnce))
    for worker in 0..<setup.team.threadCount { sums[worker]?.removeAll() }
    let work = ClientWork(
      algorithm: algorithm, rule: rule, setup: setup, round: server.round,
      broadcast: algorithm.broadcast(from: server),
      updateLengths: algorithm.updateLengths(parameterCount: server.model.count))
    let isStopped = Atomic(false)
    for first in stride(from: 0, to: jobs.count, by: Self.clientsAtOnce) {
      let count = min(Self.clientsAtOnce, jobs.count - first)
      setup.team.forEach(count: count) { [sums] worker, place in
        if isStopped.load(ordering: .relaxed) { return }
        if stopRequested() {
          isStopped.store(true, ordering: .relaxed)
          return
        }
        results[place] = work.perform(jobs[first + place], as: worker, addingTo: &sums[worker])
      }
      if isStopped.load(ordering: .relaxed) { return false }
      for place in 0..<count { onResult(jobs[first + place], results[place]) }
    }
    return true
  }

  /// A loss that is not finite, or a round in which nobody's numbers can be counted, ends the run:
  /// clients are honest here, so it is the training that went wrong.
  private func refuseDivergence(in tally: RoundTally) throws(SimulationError) {
    let what: String
    if !tally.diverged.isEmpty {
      what = "the loss of \(tally.diverged.names) is not finite"
    } else if !tally.clientsBeyondNumbers.isEmpty {
      what =
        "no update can be counted; those of \(tally.clientsBeyondNumbers.names) have numbers that are "
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
