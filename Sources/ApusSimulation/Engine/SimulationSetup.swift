// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusData
internal import ApusNumerics
internal import ApusRounds
internal import ApusTraining

/// What a simulation runs on, whatever its algorithm.
struct SimulationSetup: Sendable {
  var data: FederatedDataset
  var system: SystemModel
  var streams: RunStreams
  var policy: RoundPolicy
  var team: WorkerTeam
  /// One for each thread of the team.
  var workers: [Worker]
  /// What a client's update may be; fixes the scale of the exact sum for the whole run.
  var bounds: ExactSum.Bounds
}

extension SimulationSetup {
  /// Updates beyond this in any coordinate are refused: no sane model has such numbers, and a bound is
  /// what makes sums exact.
  static let coordinateBound: Float = 4096

  /// Steps on larger batches run in parts of this size, with the same result but for rounding.
  static let largestPart = 128

  init(_ run: Run) throws(SimulationError) {
    let recipe = run.recipe
    let preparation = run.preparation
    data = preparation.data
    streams = RunStreams(seed: recipe.seed)
    system = SystemModel(choice: recipe.system, streams: streams)
    let largestClient = max(data.largestTrainingCount, 1)
    do {
      policy = try RoundPolicy(
        goal: preparation.cohortSize, overSelection: recipe.system.overSelection,
        quorum: recipe.system.quorum)
      let part = min(recipe.algorithm.batchSize ?? largestClient, largestClient, Self.largestPart)
      workers = try (0..<run.threadCount).map { _ in
        try Worker(preparation.graph, loss: preparation.loss, batchSize: part)
      }
    } catch let error as RoundError {
      throw SimulationError(.invalidRecipe, error.message, cause: error)
    } catch {
      // That the model fits the data was looked at before.
      throw SimulationError(.outOfMemory, "\(error) Take fewer --threads.", cause: error)
    }
    bounds = ExactSum.Bounds(
      coordinate: Self.coordinateBound, weight: largestClient,
      contributions: preparation.cohortSize)
    team = WorkerTeam(threadCount: run.threadCount)
  }
}
