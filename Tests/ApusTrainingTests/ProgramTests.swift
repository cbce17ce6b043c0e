// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusModels
import ApusNumerics
import OwnThreads
import Testing

@testable import ApusTraining

@Suite(.ownThread) struct ProgramTests {
  /// A small model with a bit of everything.
  struct Small: Model {
    let conv = Convolution(4, kernel: 3, activation: .relu)
    let norm = GroupNorm(groups: 2)
    let hidden = Dense(6, activation: .tanh)
    let logits = Dense(3)

    func callAsFunction(_ x: Symbol) -> Symbol {
      let h = hidden(norm(conv(x)).maxPooled(by: 2).flattened())
      return logits(h + h.activated(.gelu))
    }
  }

  let graph: Graph
  let program: Program
  let table: ExampleTable
  let x: ParameterVector

  init() throws {
    graph = try Graph(tracing: Small(), input: [6, 6, 2])
    program = try Program(graph, loss: .softmaxCrossEntropy, batchSize: 8)
    table = .random(21, for: graph, loss: .softmaxCrossEntropy)
    x = program.initialParameters(seed: 1)
  }

  @Test("Evaluation gives the interpreter's outputs and losses, also in a ragged last part")
  func evaluation() throws {
    let interpreter = ReferenceInterpreter(graph: graph, loss: .softmaxCrossEntropy)
    let exact = (0..<x.count).map { Double(x[$0]) }
    let examples = ClientDataset(all: table)
    let outputs = program.outputs(at: x, on: examples)
    var correctCount = 0
    for example in 0..<table.count {
      let expected = interpreter.output(at: exact, on: table, example).elements
      let row = outputs[example * 3..<(example + 1) * 3]
      for (a, b) in zip(row, expected) { #expect(abs(Double(a) - b) < 1e-5) }
      let best = try #require(expected.indices.max { expected[$0] < expected[$1] })
      if Int32(best) == table.labels?[example] { correctCount += 1 }
    }
    let evaluation = program.evaluate(at: x, on: examples)
    #expect(evaluation.exampleCount == 21)
    #expect(evaluation.correctCount == correctCount)
    #expect(abs(evaluation.meanLoss - interpreter.meanLoss(at: exact, on: table)) < 1e-5)
  }

  @Test("Evaluation leaves the parameters alone")
  func evaluationOnlyReads() {
    let copy = ParameterVector((0..<x.count).map { x[$0] })
    _ = program.evaluate(at: x, on: ClientDataset(all: table))
    #expect(x == copy)
  }

  @Test(
    "A batch larger than the workspace gives the gradient of the whole", arguments: [1, 4, 8, 21])
  func chunks(size: Int) throws {
    let whole = try Program(graph, loss: .softmaxCrossEntropy, batchSize: 21)
    let parts = try Program(graph, loss: .softmaxCrossEntropy, batchSize: size)
    var (g, h) = (ParameterVector(count: x.count), ParameterVector(repeating: .nan, count: x.count))
    let loss = whole.gradient(at: x, on: table.batch(), into: &g)
    #expect(abs(parts.gradient(at: x, on: table.batch(), into: &h) - loss) < 1e-6)
    #expect(distance(g, h) <= 1e-5 * norm(g))
  }

  @Test("A ragged batch is not disturbed by what an earlier one left behind")
  func ragged() throws {
    let fresh = try Program(graph, loss: .softmaxCrossEntropy, batchSize: 3)
    var (g, h) = (ParameterVector(count: x.count), ParameterVector(count: x.count))
    _ = program.gradient(at: x, on: table.batch(0..<8), into: &g)
    let loss = program.gradient(at: x, on: table.batch(8..<11), into: &g)
    #expect(abs(fresh.gradient(at: x, on: table.batch(8..<11), into: &h) - loss) < 1e-6)
    #expect(distance(g, h) <= 1e-6 * norm(g))
  }

  @Test("A descent is a gradient and an update", arguments: [1, 5, 8, 20])
  func descent(size: Int) throws {
    var (y, z) = (x, x)
    var g = ParameterVector(count: x.count)
    for step in 0..<3 {
      let batch = table.batch(0..<size, seed: UInt64(step))
      let loss = program.gradient(at: y, on: batch, into: &g)
      y.update(with: g) { y, g in y - 0.3 * g }
      #expect(abs(program.descend(&z, on: batch, rate: 0.3) - loss) < 1e-5)
    }
    #expect(distance(y, x) > 0.01)
    #expect(distance(y, z) <= 1e-5 * distance(y, x))
  }

  @Test("A descent reads shared weights before it changes them")
  func sharedDescent() throws {
    let shared = Dense(4, activation: .tanh)
    let last = Dense(2)
    let program = try Program(
      tracing: Function { last(shared(shared(shared($0)))) }, input: [4],
      loss: .meanSquaredError, batchSize: 8)
    let table = ExampleTable.random(8, for: program.graph, loss: .meanSquaredError)
    let x = program.initialParameters(seed: 2)
    var (y, z, g) = (x, x, ParameterVector(count: x.count))
    _ = program.gradient(at: y, on: table.batch(), into: &g)
    y.update(with: g) { y, g in y - 2 * g }
    _ = program.descend(&z, on: table.batch(), rate: 2)
    #expect(distance(y, x) > 0.1)
    #expect(distance(y, z) <= 1e-5 * distance(y, x))
  }

  @Test("Training makes the loss small")
  func training() {
    var y = x
    let first = program.descend(&y, on: table.batch(0..<8), rate: 0.2)
    for _ in 0..<300 { _ = program.descend(&y, on: table.batch(0..<8), rate: 0.2) }
    #expect(program.descend(&y, on: table.batch(0..<8), rate: 0.2) < 0.05 * first)
  }

  @Test("Diverged parameters give a loss that is not finite")
  func divergence() {
    var g = ParameterVector(count: x.count)
    let bad = ParameterVector(repeating: .nan, count: x.count)
    #expect(!program.gradient(at: bad, on: table.batch(0..<4), into: &g).isFinite)
  }

  @Test("The same seed draws the same parameters, another seed others")
  func initialization() {
    #expect(program.initialParameters(seed: 1) == x)
    #expect(program.initialParameters(seed: 2) != x)
    let bound = 1 / Float(18).squareRoot()
    for i in program.layout.entries[0].range { #expect(abs(x[i]) <= bound) }
    #expect(program.layout.entries[0].range.contains { abs(x[$0]) > 0.9 * bound })
  }

  @Test("A parameter that the output does not depend on has the gradient 0")
  func unusedParameter() throws {
    let (used, unused) = (Dense(2), Dense(3))
    let program = try Program(
      tracing: Function { x in
        _ = unused(x)
        return used(x)
      }, input: [4], loss: .meanSquaredError, batchSize: 2)
    let table = ExampleTable.random(5, for: program.graph, loss: .meanSquaredError)
    let x = program.initialParameters(seed: 1)
    var g = ParameterVector(repeating: .nan, count: x.count)
    _ = program.gradient(at: x, on: table.batch(), into: &g)
    #expect(program.layout.count == 25)
    for i in 0..<15 { #expect(g[i] == 0) }
    for i in 15..<25 { #expect(g[i] != 0) }
    var y = x
    _ = program.descend(&y, on: table.batch(), rate: 1)
    for i in 0..<15 { #expect(y[i] == x[i]) }
  }
}

func distance(_ a: ParameterVector, _ b: ParameterVector) -> Float {
  (0..<a.count).reduce(0 as Float) { $0 + (a[$1] - b[$1]) * (a[$1] - b[$1]) }.squareRoot()
}

func norm(_ a: ParameterVector) -> Float { distance(a, ParameterVector(count: a.count)) }
