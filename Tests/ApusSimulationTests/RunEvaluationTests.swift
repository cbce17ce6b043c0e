// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusCatalog
import ApusData
import ApusNumerics
import Foundation
import OwnThreads
import Testing

@testable import ApusSimulation

/// Figures of a run, computed again from its model and the data alone.
@Suite(.ownThread) struct RunEvaluationTests {
  /// x W + b in Double: the model `logistic` of 8 × 8 images.
  private struct PlainLogistic {
    let weights: ParameterVector
    let biases: ParameterVector

    /// Whether the answer is right, and the loss −log softmax.
    func answer(_ example: Int32, of table: ExampleTable) throws -> (isRight: Bool, loss: Double) {
      guard case .bytes(let region, let scale, let offset) = table.inputs else {
        throw SimulationError(.data, "The digits are bytes.")
      }
      let label = Int(try #require(table.labels)[Int(example)])
      let scores = (0..<10).map { c in
        (0..<64).reduce(Double(biases[c])) { sum, j in
          let x = Double(region.bytes[Int(example) * 64 + j]) * Double(scale) + Double(offset)
          return sum + x * Double(weights[j * 10 + c])
        }
      }
      let greatest = scores.max() ?? 0
      let logarithm = greatest + log(scores.reduce(0) { $0 + exp($1 - greatest) })
      return (scores[label] == greatest, logarithm - scores[label])
    }
  }

  @Test("Central and per-client figures are those of the written model")
  func measuresTheModel() throws {
    let scratch = try Scratch()
    var recipe = SmallRun.recipe(clients: 25, cohort: 10, rounds: 6)
    recipe.data.holdBack = 0.3
    recipe.evaluate.clients = 25
    let run = try SmallRun.run(recipe, in: scratch)
    let last = try #require(run.records.last)

    let file = try Safetensors(contentsOf: run.directory + "/model.safetensors")
    let names = file.tensors.map(\.name)
    let model = PlainLogistic(
      weights: try file.values(of: try #require(names.first { $0.hasSuffix("weight") })),
      biases: try file.values(of: try #require(names.first { $0.hasSuffix("bias") })))
    let data = try DataCatalog(environment: [:]).federated(
      "digits", split: recipe.data.split, clients: 25, holdBack: 0.3, seed: recipe.seed
    ).dataset

    let test = try #require(data.centralTest)
    let central = try (0..<Int32(test.count)).map { try model.answer($0, of: test) }
    let right = central.count(where: \.isRight)
    #expect(last.accuracy == Double(right) / Double(test.count))
    let loss = central.reduce(0) { $0 + $1.loss } / Double(test.count)
    #expect(abs(try #require(last.loss) - loss) < 1e-5)
    #expect(run.summary.finalAccuracy == last.accuracy)
    #expect(run.summary.bestAccuracy == run.records.compactMap(\.accuracy).max())

    let accuracies = try (0..<25).map { client in
      let own = data.client(client).test
      #expect(own.count > 5)
      let right = try own.indices.count { try model.answer($0, of: own.table).isRight }
      return Double(right) / Double(own.count)
    }.sorted()
    let clients = try #require(last.clientAccuracy)
    #expect(clients.clients == 25)
    #expect(abs(clients.mean - accuracies.reduce(0, +) / 25) < 1e-12)
    #expect(clients.worst == accuracies[0])
    // Nearest rank: 0.1 × 25 is beyond the second, so the third.
    #expect(clients.tenthPercentile == accuracies[2])
    #expect(accuracies[0] < accuracies[24], "All alike would prove nothing.")
  }

  @Test("Rounds are measured when the recipe says, and the last one always")
  func measuresWhenDue() throws {
    let scratch = try Scratch()
    var recipe = SmallRun.recipe(rounds: 7)
    recipe.evaluate.every = 3
    let run = try SmallRun.run(recipe, in: scratch)
    #expect(run.records.filter { $0.accuracy != nil }.map(\.round) == [0, 3, 6, 7])
    #expect(run.records.map(\.round) == Array(0...7))
    #expect(run.records.dropFirst().allSatisfy { $0.trainingLoss != nil })
  }
}
