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
  let rule: any LinearAggregationRule
  let setup: SimulationSetup
  private(set) var server: Server<Algorithm.ServerState>

  init(
    _ algorithm: Algorithm, rule: any LinearAggregationRule, setup: SimulationSetup,
    startingAt server: Server<Algorithm.ServerState>
  ) {
    self.algorithm = algorithm
    self.rule = rule
    self.setup = setup
    self.server = server
  }

  /// Runs the next round and commits it.
  ///
  /// - Parameter stopRequested: asked before every client; a round that is stopped leaves no trace.
  /// - Returns: what happened; nil where the round was stopped.
  /// - Throws: `diverged`, when a client's loss is not finite; the model stays what it was.
  func runRound(
    stopRequested: @Sendable () -> Bool
  ) throws(SimulationError) -> RoundRecord? {
    var record = RoundRecord(round: server.round + 1)
    var machine = RoundStateMachine(
      RoundStateMachine.Configuration(
        round: server.round, goal: setup.cohortSize,
        population: setup.data.clientCount,
        overSelection: setup.system.choice.overSelection, quorum: setup.quorum))

    let watch = Stopwatch()
    let invited = invite(&machine)
    let work = arrivals(of: invited, at: &machine)
    guard let results = train(work, stopRequested: stopRequested) else { return nil }
    try checkLosses(of: work, results)
    record.seconds.train = watch.lap()

    try combine(work, results, with: &machine, into: &record)
    record.dropped = invited.count - work.count
    record.bytesDown = invited.count * server.model.count * MemoryLayout<Float>.size
    record.seconds.aggregate = watch.lap()
    return record
  }
}
