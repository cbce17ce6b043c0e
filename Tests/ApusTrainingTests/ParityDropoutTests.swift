// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics
import ApusTraining
import Testing

/// PyTorch draws other numbers, so dropout is held against its definition.
@Suite struct ParityDropoutTests {
  private struct Dropped: Model {
    let before = Probe()
    let dropout = Dropout(0.25)
    let after = Probe()
    func callAsFunction(_ input: Symbol) -> Symbol { after(dropout(before(input))) }
  }

  private let count = 400

  /// The output and the input's gradient of the sum of squares, in training.
  private func run(_ program: Program, _ stream: RandomStream) -> (output: [Float], slope: [Float])
  {
    let table = ExampleTable(
      count: 1, inputShape: [count], inputs: .numbers((1...count).map { Float($0) / 100 }),
      targets: .values([Float](repeating: 0, count: count), shape: [count]))
    var g = ParameterVector(count: program.layout.count)
    _ = program.gradient(
      at: ParameterVector(count: g.count), on: Batch(table, indices: [0], random: stream), into: &g)
    let half = Float(count) / 2
    return ((0..<count).map { g[count + $0] * half }, (0..<count).map { g[$0] * half })
  }

  private func program() throws -> Program {
    try Program(tracing: Dropped(), input: [400], loss: .meanSquaredError, batchSize: 1)
  }

  @Test("An element is dropped, or scaled by 1 / (1 - rate); its gradient likewise")
  func definition() throws {
    let (output, slope) = run(try program(), RandomStream(seed: 1))
    var keptCount = 0
    for i in 0..<count {
      let x = Float(i + 1) / 100
      if output[i] != 0 {
        keptCount += 1
        #expect(abs(output[i] / (x / 0.75) - 1) < 1e-6)
      }
      // d(y²/2)/dx = y dy/dx
      #expect(abs(slope[i] - output[i] / 0.75) < 1e-5 * (1 + output[i]))
    }
    // 300 expected, with a standard deviation of 8.7.
    #expect(255...345 ~= keptCount)
  }

  @Test("The batch's stream decides what is dropped")
  func streams() throws {
    let program = try program()
    #expect(run(program, RandomStream(seed: 1)) == run(program, RandomStream(seed: 1)))
    #expect(run(program, RandomStream(seed: 1)) != run(program, RandomStream(seed: 2)))
  }

  @Test("Nothing is dropped when a model is measured")
  func inference() throws {
    let program = try program()
    let x: [Float] = (1...count).map { Float($0) / 100 }
    let table = ExampleTable(
      count: 1, inputShape: [count], inputs: .numbers(x), targets: .values(x, shape: [count]))
    let evaluation = program.evaluate(
      at: ParameterVector(count: program.layout.count), on: ClientDataset(all: table))
    #expect(evaluation.lossSum == 0)
  }
}
