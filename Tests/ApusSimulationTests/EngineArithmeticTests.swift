// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusCatalog
import ApusData
import ApusNumerics
import ApusRounds
import ApusTraining
import OwnThreads
import Testing

@testable import ApusSimulation

/// The simulator beside the paper's loop, written down plainly.
@Suite(.ownThread) struct EngineArithmeticTests {
  @Test(
    "The simulator computes what Algorithm 1 of the FedAvg paper says", arguments: [false, true])
  func equalsPlainLoop(isUniform: Bool) throws {
    let scratch = try Scratch()
    let fedAvg = FedAvg(localEpochs: 2, batchSize: 16, learningRate: 0.1)
    var recipe = SmallRun.recipe(.fedAvg(fedAvg), clients: 9, cohort: 4, rounds: 4)
    recipe.data.split = .dirichlet(alpha: 0.5, minimum: 5)
    if isUniform { recipe.aggregation = .uniformMean }
    let simulated = try SmallRun.run(recipe, in: scratch)

    let data = try DataCatalog(environment: [:]).federated(
      "digits", split: recipe.data.split, clients: 9, seed: recipe.seed
    ).dataset
    let graph = try Graph(tracing: Logistic10(), input: [8, 8, 1])
    let program = try Program(graph, loss: .softmaxCrossEntropy, batchSize: 16)
    let streams = RunStreams(seed: recipe.seed)
    var w = program.initialParameters(seed: recipe.seed)
    for round in 0..<4 {
      var chosen = streams.cohort(inRound: round)
      var sum = [Double](repeating: 0, count: w.count)
      var weights = 0.0
      for k in chosen.sample(4, outOf: 9) {
        let examples = data.client(k).train
        var wk = w
        let random = streams.training(of: k, inRound: round)
        for batch in examples.batches(of: 16, epochs: 2, shuffledBy: random) {
          _ = program.descend(&wk, on: batch, rate: 0.1)
        }
        let weight = isUniform ? 1 : Double(examples.count)
        for i in sum.indices { sum[i] += weight * Double(wk[i]) }
        weights += weight
      }
      w = ParameterVector(sum.map { Float($0 / weights) })
    }

    let model = try simulated.model()
    #expect(model.map(\.count) == graph.layout.entries.map(\.shape.count))
    let numbers = model.flatMap { vector in (0..<vector.count).map { vector[$0] } }
    let differences = numbers.indices.map { abs(numbers[$0] - w[$0]) }
    #expect(try #require(differences.max()) < 2e-6)
    let first = program.initialParameters(seed: recipe.seed)
    #expect(numbers.indices.contains { abs(numbers[$0] - first[$0]) > 0.05 }, "Nothing was learnt.")
  }

  /// The catalog's `logistic`, written here.
  private struct Logistic10: Model {
    let logits = Dense(10)
    func callAsFunction(_ input: Symbol) -> Symbol { logits(input.flattened()) }
  }
}
