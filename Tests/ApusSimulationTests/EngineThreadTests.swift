// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusNumerics
import ApusTraining
import OwnThreads
import Testing

@testable import ApusSimulation

/// One seed, one model: whoever does the work.
@Suite(.ownThread) struct EngineThreadTests {
  /// A recipe, by the name that a failure shows.
  static let recipes: [String: Recipe] = {
    var recipes = ["fedavg": SmallRun.recipe()]
    recipes["fedavg with momentum"] = SmallRun.recipe(
      .fedAvg(
        FedAvg(
          localEpochs: 1, batchSize: 20, learningRate: 0.05,
          optimizer: .sgd(momentum: 0.9, nesterov: true, weightDecay: 1e-4),
          schedule: .exponential(decay: 0.9))))
    recipes["fedavg, uniform"] = SmallRun.recipe()
    recipes["fedavg, uniform"]?.aggregation = .uniformMean
    recipes["fedavg, drop-outs"] = SmallRun.recipe()
    recipes["fedavg, drop-outs"]?.system.dropOutRate = 0.4
    recipes["fedavg, over-selection"] = SmallRun.recipe()
    recipes["fedavg, over-selection"]?.system.overSelection = 1.6
    recipes["fedavg, over-selection"]?.system.dropOutRate = 0.2
    recipes["fedprox, stragglers"] = SmallRun.recipe(
      .fedProx(
        FedProx(localEpochs: 5, batchSize: 10, learningRate: 0.1, proximalStrength: 0.5)))
    recipes["fedprox, stragglers"]?.system.stragglerFraction = 0.8
    recipes["fedsgd"] = SmallRun.recipe(.fedSGD(FedSGD(learningRate: 0.5)))
    recipes["dropout"] = SmallRun.recipe()
    recipes["dropout"]?.model = .graph(file: "dropout.json")
    return recipes
  }()

  @Test(
    "The same seed gives the same model and the same figures on 1, 2 and 8 threads",
    arguments: recipes.keys.sorted())
  func doesNotDependOnThreads(name: String) throws {
    let scratch = try Scratch()
    try SmallRun.writeGraph(Perceptron(rate: 0.5), to: "dropout.json", in: scratch)
    let recipe = try #require(Self.recipes[name])
    let one = try SmallRun.run(recipe, in: scratch, threads: 1)
    #expect(one.summary.outcome == .completed && one.records.count == 4)
    #expect(one.records.contains { $0.clients > 0 }, "Nobody trained.")
    for threads in [2, 8] {
      let many = try SmallRun.run(recipe, in: scratch, threads: threads)
      #expect(many.summary.threads == threads)
      #expect(many.summary.modelDigest == one.summary.modelDigest)
      #expect(many.records == one.records)
    }
  }

  @Test("Another seed, and other dropout, give another model")
  func dependsOnSeeds() throws {
    let scratch = try Scratch()
    for rate in [0, 0.5] as [Float] {
      try SmallRun.writeGraph(Perceptron(rate: rate), to: "dropout-\(rate).json", in: scratch)
    }
    var recipe = SmallRun.recipe()
    var digests: Set<String> = []
    for seed in [1, 2] as [UInt64] {
      recipe.seed = seed
      for rate in [0, 0.5] as [Float] {
        recipe.model = .graph(file: "dropout-\(rate).json")
        digests.insert(try SmallRun.run(recipe, in: scratch).summary.modelDigest)
      }
    }
    #expect(digests.count == 4)
  }
}
