// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusData
internal import ApusNumerics
internal import ApusTraining
package import ApusWire

/// What an aggregator is asked for a recipe.
package struct RecipeTask: Sendable {
  /// Everything but the name of the task and the digest of ``examples``, which its uploader fills in.
  package var spec: Proto.TaskSpec
  /// To measure models on, uploaded before the task is created; nil where the data have no such.
  package var examples: [UInt8]?
  /// What the recipe's own clients are: a description, for a live federation's are its devices.
  package var clientCount: Int
  package var parameterCount: Int
}

extension Recipe {
  /// The task that makes devices do what a simulation of this recipe does: the same bytes, for the same seed and
  /// the same examples on the devices in the order of their numbers.
  ///
  /// The data set is read here, for its test examples, the schema that devices' data must have, and the size of
  /// the largest client, which bounds an update's weight; no training example leaves this machine.
  ///
  /// - Parameters:
  ///   - recipeFile: where it was read; a graph that it names is relative to it.
  ///   - options: where data sets are.
  /// - Returns: the task.
  /// - Throws: ``SimulationError``, as ``Run/init(of:recipeFile:options:)`` does.
  /// - Allocates: a copy of the test examples.
  package func task(
    recipeFile: String, options: RunOptions
  ) throws(SimulationError) -> RecipeTask {
    let directory = recipeFile.lastIndex(of: "/").map { String(recipeFile[..<$0]) } ?? "."
    let preparation = try Preparation(self, directory: directory, options: options)
    let serve = serve ?? ServingChoice()
    let table = preparation.data.client(0).train.table
    let plan = TrainingPlan(
      graph: preparation.graph, loss: preparation.loss, algorithm: algorithm,
      dataSchema: DataSchema(of: table), updateFormat: serve.updateFormat.numberFormat,
      isPacked: serve.packed)

    var spec = Proto.TaskSpec()
    spec.name = name
    spec.plan = Proto.Plan(plan)
    spec.aggregation = aggregation.onTheWire
    spec.cohort = liveCohort(serve)
    spec.rounds = UInt64(rounds)
    spec.stop = Proto.StopRule {
      $0.accuracy = stop.accuracy ?? 0
      $0.patience = UInt64(stop.patience ?? 0)
    }
    spec.seed = seed
    spec.labels = serve.labels
    spec.coordinateBound = SimulationSetup.coordinateBound
    spec.normBound = serve.normBound ?? 0
    spec.weightBound = UInt64(max(preparation.data.largestTrainingCount, 1))
    spec.recipe = encoded()
    let examples = preparation.data.centralTest.map { ExampleBlob($0) }
    if let examples {
      spec.evaluation = Proto.Evaluation {
        $0.every = UInt64(evaluate.every)
        $0.tensors = examples.tensors
        $0.scale = examples.scale
        $0.offset = examples.offset
      }
    }
    return RecipeTask(
      spec: spec, examples: examples?.bytes, clientCount: preparation.data.clientCount,
      parameterCount: preparation.graph.layout.count)
  }

  private func liveCohort(_ serve: ServingChoice) -> Proto.Cohort {
    Proto.Cohort { message in
      switch cohort {
      case .size(let size): message.size = UInt64(size)
      // A share of 0 stands for one client, in a simulation too.
      case .fraction(0): message.size = 1
      case .fraction(let fraction): message.share = fraction
      }
      message.minimum = UInt64(serve.minimumCohort ?? 1)
      message.overSelection =
        serve.overSelection ?? (system.overSelection > 1 ? system.overSelection : 1.3)
      message.quorum = system.quorum
      message.reportMs = UInt64((serve.reportTimeout * 1000).rounded())
      message.participationLimit = UInt64(serve.participationLimit ?? 0)
      message.restRounds = UInt64(serve.restRounds)
      message.abandonmentLimit = UInt64(serve.abandonmentLimit)
      message.late = serve.late == .extend ? .extend : .discard
    }
  }
}

extension AggregationChoice {
  fileprivate var onTheWire: Proto.AggregationRule {
    switch self {
    case .weightedMean: .weightedMean
    case .uniformMean: .uniformMean
    }
  }
}

extension Recipe.ServingChoice.UpdateFormat {
  fileprivate var numberFormat: NumberFormat {
    switch self {
    case .float32: .float32
    case .bfloat16: .bfloat16
    case .float16: .float16
    }
  }
}
