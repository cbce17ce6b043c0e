// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics
import ApusTraining
import Testing

@Suite struct ParityLossTests {
  /// The model's output is its input; the probe has the gradient.
  private struct Scores: Model {
    let probe = Probe()
    func callAsFunction(_ input: Symbol) -> Symbol { probe(input) }
  }

  @Test(
    "Losses, their gradients and right answers are PyTorch's",
    arguments: [
      (name: "softmaxCrossEntropy", loss: Loss.softmaxCrossEntropy),
      ("softmaxCrossEntropy/sequences", .softmaxCrossEntropy),
      ("sigmoidCrossEntropy", .sigmoidCrossEntropy),
      ("sigmoidCrossEntropy/classes", .sigmoidCrossEntropy),
      ("meanSquaredError", .meanSquaredError),
    ])
  func losses(name: String, loss: Loss) throws {
    let goldens = try Goldens("losses")
    let whole = try goldens.shape(of: "\(name)/logits")
    let shape = Shape(Array(whole.dimensions.dropFirst()))
    let values = try goldens.numbers("\(name)/targets")
    let classes = values.map { Int32($0) }
    let targets: ExampleTable.Targets =
      switch name {
      case "softmaxCrossEntropy": .classes(classes, classCount: 10)
      case "softmaxCrossEntropy/sequences": .sequences(classes, length: 4, classCount: 5)
      case "sigmoidCrossEntropy/classes": .classes(classes, classCount: 2)
      default: .values(values, shape: shape)
      }
    let table = ExampleTable(
      count: whole[0], inputShape: shape, inputs: .numbers(try goldens.numbers("\(name)/logits")),
      targets: targets)
    let program = try Program(
      tracing: Scores(), input: InputSignature(shape), loss: loss, batchSize: 4)
    try program.checkFits(table)
    let x = ParameterVector(count: shape.count)

    // The mean is over what counts, in all examples or in one.
    let isSequence = name.hasSuffix("sequences")
    let counts = (0..<whole[0]).map { row in
      isSequence ? classes[row * 4..<row * 4 + 4].count { $0 >= 0 } : 1
    }
    let total = counts.reduce(0, +)
    var gradients: [Float] = []
    for row in 0..<Int32(whole[0]) {
      var g = ParameterVector(count: x.count)
      let batch = Batch(table, indices: [row], random: RandomStream(seed: 1))
      _ = program.gradient(at: x, on: batch, into: &g)
      let share = Float(counts[Int(row)]) / Float(total)
      gradients += (0..<g.count).map { g[$0] * share }
    }
    #expect(relativeError(gradients, try goldens.numbers("\(name)/gradient")) < 2e-6)

    let expected = Double(try goldens.numbers("\(name)/loss")[0])
    var g = ParameterVector(count: x.count)
    let all = ClientDataset(all: table)
    let mean = program.gradient(
      at: x, on: Batch(table, indices: all.indices, random: RandomStream(seed: 1)), into: &g)
    #expect(abs(mean / expected - 1) < 1e-6)
    let evaluation = program.evaluate(at: x, on: all)
    #expect(abs(evaluation.meanLoss / expected - 1) < 1e-6)
    #expect(evaluation.exampleCount == total)
    #expect(Float(evaluation.correctCount) == (try goldens.numbers("\(name)/correct")[0]))
  }
}
