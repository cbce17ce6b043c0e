// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusData
internal import ApusNumerics
internal import ApusRounds

/// What every client of a round is asked to do.
struct ClientWork<Algorithm: FederatedAlgorithm>: Sendable
where Algorithm.ClientState == NoState {
  let algorithm: Algorithm
  let rule: any LinearAggregationRule<Algorithm.Update>
  let setup: SimulationSetup
  /// Counted from 0.
  let round: Int
  let broadcast: Algorithm.Broadcast
  let updateLengths: [Int]

  /// Trains one client and adds its update to a worker's sum.
  ///
  /// - Parameters:
  ///   - job: which client, and how much it manages.
  ///   - worker: whose program is used.
  ///   - sum: the worker's; made for the first update.
  /// - Returns: what came of it; an update that cannot be counted leaves the sum what it was.
  func perform(
    _ job: ClientJob, as worker: Int, addingTo sum: inout WeightedSum<Algorithm.Update>?
  ) -> ClientResult {
    let examples = setup.data.client(job.client).train
    var client = Client(
      state: NoState(), objective: setup.workers[worker].trainer, examples: examples,
      round: round, epochLimit: job.epochLimit,
      random: setup.streams.training(of: job.client, inRound: round))
    var result = ClientResult(exampleCount: examples.count)
    do {
      let update = try algorithm.clientUpdate(&client, from: broadcast)
      result.lossSum = client.lossSum
      result.stepCount = client.stepCount
      // A loss that is not finite ends the run, so its update is of no interest.
      guard client.lossSum.isFinite else { return result }
      if sum == nil { sum = try WeightedSum(lengths: updateLengths, bounds: setup.bounds) }
      try sum?.add(update, by: rule)
      result.verdict = .folded(weight: rule.weight(forDeclared: update.weight))
    } catch let error as AlgorithmError {
      result.verdict = .rejected(code: error.code.rawValue, message: error.message)
    } catch {
      result.verdict = .rejected(code: "failed", message: "\(error)")
    }
    return result
  }
}
