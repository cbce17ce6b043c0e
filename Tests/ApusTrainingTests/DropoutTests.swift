// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics
import Testing

@testable import ApusTraining

@Suite struct DropoutTests {
  private func make(batchSize: Int) throws -> (Program, ExampleTable, ParameterVector) {
    let (first, dropout, last) = (Dense(64, activation: .relu), Dropout(0.25), Dense(3))
    let program = try Program(
      tracing: Function { last(dropout(first($0.droppedOut(rate: 0.5)))) }, input: [10],
      loss: .softmaxCrossEntropy, batchSize: batchSize)
    return (
      program, .random(12, for: program.graph, loss: .softmaxCrossEntropy),
      program.initialParameters(seed: 1)
    )
  }

  @Test("The same stream drops the same elements, another drops others")
  func determinism() throws {
    let (program, table, x) = try make(batchSize: 12)
    var (g, h) = (ParameterVector(count: x.count), ParameterVector(count: x.count))
    let loss = program.gradient(at: x, on: table.batch(seed: 1), into: &g)
    #expect(program.gradient(at: x, on: table.batch(seed: 2), into: &h) != loss)
    #expect(g != h)
    #expect(program.gradient(at: x, on: table.batch(seed: 1), into: &h) == loss)
    #expect(g == h)
  }

  @Test("What is dropped does not depend on how a batch is divided")
  func chunks() throws {
    let (whole, table, x) = try make(batchSize: 12)
    let (parts, _, _) = try make(batchSize: 5)
    var (g, h) = (ParameterVector(count: x.count), ParameterVector(count: x.count))
    let loss = whole.gradient(at: x, on: table.batch(), into: &g)
    #expect(abs(parts.gradient(at: x, on: table.batch(), into: &h) - loss) < 1e-6)
    #expect(distance(g, h) <= 1e-5 * norm(g))
  }

  @Test("The gradient is that of what was not dropped")
  func gradient() throws {
    let (program, table, x) = try make(batchSize: 12)
    var g = ParameterVector(count: x.count)
    _ = program.gradient(at: x, on: table.batch(), into: &g)
    var spare = ParameterVector(count: x.count)
    var (above, below) = (x, x)
    let h: Float = 1e-2 / norm(g)
    above.update(with: g) { x, g in x + h * g }
    below.update(with: g) { x, g in x - h * g }
    let slope =
      (program.gradient(at: above, on: table.batch(), into: &spare)
        - program.gradient(at: below, on: table.batch(), into: &spare)) / Double(2 * h)
    let expected = Double(norm(g)) * Double(norm(g))
    #expect(abs(slope - expected) < 1e-2 * expected)
  }

  @Test("As many are dropped as the rate says, and the mean stays")
  func rate() throws {
    // The output is the input, the target 0: the loss is the mean of the squares of what is left.
    let one = Weights()
    let program = try Program(
      tracing: Function {
        ($0 * $0.parameter("one", [1000], .constant(1), of: one)).droppedOut(rate: 0.2)
      }, input: [1000], loss: .meanSquaredError, batchSize: 10)
    let table = ExampleTable(
      count: 10, inputShape: [1000], inputs: .numbers([Float](repeating: 1, count: 10_000)),
      targets: .values([Float](repeating: 0, count: 10_000), shape: [1000]))
    var g = ParameterVector(count: 1000)
    let loss = program.gradient(
      at: ParameterVector(repeating: 1, count: 1000), on: table.batch(), into: &g)
    // Kept with 0.8 and scaled by 1.25: the mean square is 1.25.
    #expect(abs(loss - 1.25) < 0.03)
    let evaluation = program.evaluate(
      at: ParameterVector(repeating: 1, count: 1000), on: ClientDataset(all: table))
    #expect(evaluation.meanLoss == 1)
  }
}
