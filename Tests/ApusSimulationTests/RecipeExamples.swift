// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusSimulation
import Testing

/// Recipes as people write them.
enum RecipeExamples {
  static let fedAvg = """
    // The paper's pathological split.
    {
      model: "mcmahan-cnn", /* or a graph */
      data: { set: "mnist", split: { shards: { perClient: 2 } }, clients: 100, },
      algorithm: { fedavg: { localEpochs: 5, batchSize: 10, learningRate: 0.1 } },
      aggregation: "weighted-mean",
      cohort: { fraction: 0.1 }, rounds: 400, stop: { accuracy: 0.99 },
      privacy: "none",
      evaluate: { every: 1 },
      seed: 1,
    }
    """

  static let fedProx = """
    {
      "name": "prox",
      'model': { graph: 'model.graph' },
      data: { set: "synthetic", clients: 30, alpha: .5, beta: +0.5, holdBack: 0.2 },
      algorithm: { fedprox: {
        localEpochs: 20, batchSize: "all", learningRate: 1e-2, proximalStrength: 1,
        optimizer: { sgd: { momentum: 0.9, nesterov: true, weightDecay: 1e-4 } },
        schedule: { warmup: { rounds: 5, then: { cosine: { rounds: 0x64, minimum: 0.1 } } } },
      } },
      aggregation: "uniform-mean",
      cohort: { size: 10 }, rounds: 2e2, stop: { patience: 20 },
      system: { dropOutRate: 0.1, stragglerFraction: 0.9, overSelection: 1.3, quorum: 0.5 },
      evaluate: { every: 5, clients: 30 },
      seed: 18446744073709551615,
    }
    """

  static let fedSGD = """
    { model: "logistic", data: { set: "mnist-writers", split: { by: "writer" } },
      algorithm: { fedsgd: { learningRate: 0.1, schedule: { step: { every: 10, factor: 0.5 } } } },
      cohort: { fraction: 0 }, rounds: 1 }
    """

  /// Everything that only matters with devices.
  static let served = """
    { model: "logistic", data: { set: "digits", split: "iid", clients: 4 },
      algorithm: { fedavg: { localEpochs: 1, batchSize: 10, learningRate: 0.1 } },
      cohort: { size: 4 }, rounds: 10,
      serve: {
        overSelection: 1, minimumCohort: 3, reportTimeout: 30, participationLimit: 5, restRounds: 1,
        abandonmentLimit: 3, late: "extend", labels: { site: "north", "a b": "c\\"" },
        normBound: 2.5, updateFormat: "bfloat16", packed: true } }
    """

  static let all = [fedAvg, fedProx, fedSGD, served]

  static func recipe(_ text: String, setting overrides: [String] = []) throws -> Recipe {
    try Recipe(parsing: text.utf8, file: "some/quick.json5", setting: overrides)
  }

  /// What a text is refused for; nil where it is taken.
  static func refusal(of text: String, setting overrides: [String] = []) -> String? {
    do {
      _ = try Recipe(parsing: text.utf8, file: "r.json5", setting: overrides)
      return nil
    } catch {
      return error.message
    }
  }
}
