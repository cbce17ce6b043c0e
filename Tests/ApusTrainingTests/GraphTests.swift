// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics
import Foundation
import Testing

@testable import ApusTraining

@Suite struct GraphTests {
  struct Everything: Model {
    let embedding = Embedding(9, width: 8)
    let norm = LayerNorm()
    let dropout = Dropout(0.1)
    let logits = Dense(9, activation: .leakyRelu())

    func callAsFunction(_ tokens: Symbol) -> Symbol {
      let h = dropout(norm(embedding(tokens)))
      let attention = (h.product(with: h, transposingRight: true) / 3).softmax()
      return logits(attention.product(with: h) + h.mean(over: [0], keepingAxes: true))
    }
  }

  private func graph() throws -> Graph {
    try Graph(tracing: Everything(), input: .tokens(5)) { $0 == "embedding.weight" }
  }

  @Test("A graph is the same after encoding and decoding")
  func roundTrip() throws {
    let graph = try graph()
    let decoded = try JSONDecoder().decode(Graph.self, from: JSONEncoder().encode(graph))
    #expect(decoded == graph)
    #expect(decoded.layout == graph.layout)
    #expect(decoded.frozenLayout.entries.map(\.name) == ["embedding.weight"])
  }

  @Test("A decoded graph trains as the traced one does")
  func decodedTraining() throws {
    let graph = try graph()
    let decoded = try JSONDecoder().decode(Graph.self, from: JSONEncoder().encode(graph))
    let table = ExampleTable.random(4, for: graph, loss: .softmaxCrossEntropy)
    var results: [(Double, ParameterVector)] = []
    for graph in [graph, decoded] {
      let program = try Program(graph, loss: .softmaxCrossEntropy, batchSize: 4)
      var g = ParameterVector(count: program.layout.count)
      let x = program.initialParameters(seed: 1)
      results.append((program.gradient(at: x, on: table.batch(), into: &g), g))
    }
    #expect(results[0].0 == results[1].0)
    #expect(results[0].1 == results[1].1)
  }

  /// What was changed in the encoded graph, and how.
  static let forgeries: [(String, String, String)] = [
    ("an input that comes later", "\"inputs\":[0,1]", "\"inputs\":[0,2]"),
    ("an input that is negative", "\"inputs\":[0,1]", "\"inputs\":[0,-1]"),
    ("a parameter that is not there", "\"parameter\":{\"_0\":0}", "\"parameter\":{\"_0\":7}"),
    ("a wrong shape", "\"shape\":[3]}", "\"shape\":[4]}"),
    ("a negative extent", "\"shape\":[4,3]", "\"shape\":[-4,-3]"),
    ("an extent of 0", "\"shape\":[4,3]", "\"shape\":[0,3]"),
    ("an overflowing extent", "\"shape\":[4,3]", "\"shape\":[4611686018427387904,4]"),
    ("an absurd extent", "\"shape\":[4,3]", "\"shape\":[1099511627776,3]"),
    ("an output that is not there", "\"output\":2", "\"output\":3"),
    ("an output that depends on no input", "\"output\":2", "\"output\":1"),
    ("no output", "\"output\":2", "\"output\":-1"),
    ("no name", "\"name\":\"weights.m\"", "\"name\":\"\""),
    ("batches that are not", "\"isBatched\":true", "\"isBatched\":false"),
  ]

  @Test("A forged graph is refused", arguments: forgeries)
  func forgery(name: String, from: String, to: String) throws {
    let weights = Weights()
    let graph = try Graph(
      tracing: Function { x in
        x.product(with: x.parameter("m", [4, 3], .constant(0), of: weights))
      }, input: [4])
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(graph), as: UTF8.self)
    let forged = text.replacingOccurrences(of: from, with: to)
    #expect(forged != text, "\(from) is not in \(text)")
    _ = try JSONDecoder().decode(Graph.self, from: Data(text.utf8))
    // Some are stopped by the graph, some by a shape that decodes itself.
    #expect(throws: (any Error).self) {
      try JSONDecoder().decode(Graph.self, from: Data(forged.utf8))
    }
  }

  @Test("Damaged graphs are refused or are graphs, and never trap")
  func damage() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let bytes = Array(try encoder.encode(graph()))
    var stream = RandomStream(seed: 1)
    var refusedCount = 0
    for _ in 0..<300 {
      var copy = bytes
      for _ in 0...stream.below(3) {
        copy[stream.below(copy.count)] = Array("0123456789-[]".utf8)[stream.below(13)]
      }
      do {
        let graph = try JSONDecoder().decode(Graph.self, from: Data(copy))
        let count = graph.nodes.reduce(0) { $0 + $1.shape.count }
        if count < 1 << 20 { _ = try Program(graph, loss: .softmaxCrossEntropy, batchSize: 2) }
      } catch { refusedCount += 1 }
    }
    #expect(refusedCount > 100)
  }
}

@Suite struct FitTests {
  private func table(
    _ targets: ExampleTable.Targets, shape: Shape = [4], tokens: [Int32]? = nil
  ) -> ExampleTable {
    ExampleTable(
      count: 1, inputShape: shape,
      inputs: tokens.map { .tokens($0) } ?? .numbers([Float](repeating: 0, count: shape.count)),
      targets: targets)
  }

  private func program(_ loss: Loss, outputs: Int = 3) throws -> Program {
    let last = Dense(outputs)
    return try Program(
      tracing: Function { last($0) }, input: [4], loss: loss, batchSize: 2)
  }

  private func message(_ program: Program, _ table: ExampleTable) -> String? {
    do {
      try program.checkFits(table)
      return nil
    } catch { return error.message }
  }

  @Test("Examples that do not fit are refused with both sides named")
  func refusals() throws {
    let program = try program(.softmaxCrossEntropy)
    let classes = ExampleTable.Targets.classes([2], classCount: 3)
    #expect(message(program, table(classes)) == nil)
    #expect(
      message(program, table(classes, shape: [2, 2])) == "The model takes inputs of 4, not of 2×2.")
    #expect(
      message(program, table(classes, tokens: [0, 0, 0, 0]))
        == "The model takes numbers, not tokens.")
    #expect(
      message(program, table(.classes([4], classCount: 5)))
        == "The examples have 5 classes, the model's output is 3.")
    #expect(
      message(program, table(.values([1, 2, 3], shape: [3])))
        == "The targets are not what the loss softmaxCrossEntropy compares.")
    let squares = try self.program(.meanSquaredError)
    #expect(message(squares, table(.values([1, 2, 3], shape: [3]))) == nil)
    #expect(
      message(squares, table(.values([1, 2], shape: [2])))
        == "The examples' targets are 2, the model's output is 3.")
  }

  @Test("Tokens outside of the vocabulary are refused")
  func vocabulary() throws {
    let embedding = Embedding(5, width: 3)
    let program = try Program(
      tracing: Function { embedding($0) }, input: .tokens(2), loss: .softmaxCrossEntropy,
      batchSize: 1)
    let targets = ExampleTable.Targets.sequences([0, 1], length: 2, classCount: 3)
    #expect(message(program, table(targets, shape: [2], tokens: [0, 4])) == nil)
    #expect(
      message(program, table(targets, shape: [2], tokens: [0, 5]))
        == "The model's vocabulary has 5 tokens: there is no token 5.")
  }

  @Test("One score tells two classes apart")
  func twoClasses() throws {
    let program = try program(.sigmoidCrossEntropy, outputs: 1)
    let examples = ExampleTable(
      count: 2, inputShape: [4], inputs: .numbers([1, 0, 0, 0, 0, 1, 0, 0]),
      targets: .classes([1, 0], classCount: 2))
    try program.checkFits(examples)
    var x = ParameterVector([2, -1, 0, 0, 0])
    let evaluation = program.evaluate(at: x, on: ClientDataset(all: examples))
    #expect(evaluation.correctCount == 2)
    let expected = log(1 + exp(-2.0)) + log(1 + exp(-1.0))
    #expect(abs(evaluation.lossSum - expected) < 1e-6)
    #expect(abs(program.descend(&x, on: examples.batch(), rate: 1) - expected / 2) < 1e-6)
    #expect(x[0] > 2 && x[1] < -1)
  }

  @Test("Evaluations of parts add up")
  func addition() {
    let a = Evaluation(exampleCount: 3, lossSum: 1.5, correctCount: 2)
    let b = Evaluation(exampleCount: 1, lossSum: 0.5, correctCount: 0)
    #expect((a + b).accuracy == 0.5)
    #expect((a + b).meanLoss == 0.5)
    #expect(Evaluation().accuracy == 0)
  }
}
