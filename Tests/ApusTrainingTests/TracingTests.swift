// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import Testing

@testable import ApusTraining

@Suite struct TracingTests {
  struct Tied: Model {
    struct Block: Sendable {
      let a = Dense(8)
      let b = Dense(8)
    }

    let shared = Dense(8)
    let alias: Dense
    let blocks = [Block(), Block()]
    let optional: Dense? = Dense(8)

    init() { alias = shared }

    func callAsFunction(_ x: Symbol) -> Symbol {
      var h = alias(shared(x))
      for block in blocks { h = h + block.b(block.a(h)) }
      return optional?(h) ?? h
    }
  }

  @Test("Parameters are named by the paths of properties; one layer has one name")
  func names() throws {
    let graph = try Graph(tracing: Tied(), input: [8])
    let layers = ["shared", "blocks.0.a", "blocks.0.b", "blocks.1.a", "blocks.1.b", "optional"]
    #expect(graph.layout.entries.map(\.name) == layers.flatMap { ["\($0).weight", "\($0).bias"] })
    #expect(graph.layout.count == 6 * 72)
  }

  @Test("Layers in a sequence are named by their place, others after their type")
  func sequence() throws {
    struct Nested: Model {
      let body = Sequential {
        Flatten()
        Dense(4, activation: .relu)
        Sequential { Dense(3) }
      }

      func callAsFunction(_ x: Symbol) -> Symbol { Dense(2)(Dense(2)(body(x))) }
    }
    let names = try Graph(tracing: Nested(), input: [2, 2]).layout.entries.map(\.name)
    #expect(
      names.filter { $0.hasSuffix("weight") }
        == ["body.1.weight", "body.2.0.weight", "dense.weight", "dense2.weight"])
    let alone = Sequential {
      Dense(4)
      Dense(3)
    }
    let graph = try Graph(tracing: alone, input: [2])
    #expect(graph.layout.entries.map(\.name).first == "0.weight")
  }

  @Test("Sequences have conditions and loops")
  func builder() throws {
    func model(deep: Bool) -> Sequential {
      Sequential {
        if deep { Dense(5) } else { Dense(6) }
        for _ in 0..<3 { Dense(4) }
        if deep { Dense(2) }
      }
    }
    #expect(try Graph(tracing: model(deep: true), input: [1]).layout.entries.count == 10)
    #expect(try Graph(tracing: model(deep: false), input: [1]).layout.entries.count == 8)
  }

  private func message(_ input: InputSignature, _ body: @escaping @Sendable (Symbol) -> Symbol)
    -> String
  {
    do {
      _ = try Graph(tracing: Function(body), input: input)
      return "no error"
    } catch { return error.message }
  }

  @Test("A bad shape names the layer, the operation and both shapes")
  func shapeErrors() throws {
    struct Misshaped: Model {
      let first = Dense(1600)
      let hidden = Dense(512)

      func callAsFunction(_ x: Symbol) -> Symbol { hidden(hidden(first(x))) }
    }
    let error = #expect(throws: TrainingError.self) {
      try Graph(tracing: Misshaped(), input: [3136])
    }
    #expect(error?.code == .shapeMismatch)
    #expect(
      error?.message
        == "hidden: weight is shared and has the shape 1600×512, but 512×512 is needed here.")
    #expect(
      message([3136]) {
        $0.product(with: $0.parameter("w", [1600, 512], .constant(0), of: Weights()))
      }
        == "product of 1×3136 and 1600×512: inner dimensions differ (3136, 1600)")
    #expect(
      message([4, 3]) { $0 + $0.reshaped(to: [3, 4]) }
        == "add of 4×3 and 3×4: the shapes cannot be broadcast")
    #expect(
      message([4, 3]) { $0.reshaped(to: [5]) }
        == "reshape of 4×3 to 5: the numbers of elements differ")
    #expect(
      message([4, 3]) { .concatenated([$0, $0.reshaped(to: [3, 4])], alongAxis: 0) }
        == "concatenation of 4×3, 3×4 along axis 0: other axes differ")
    #expect(
      message([8]) { Convolution(4, kernel: 3)($0) }
        .hasPrefix("convolution: convolution of 8 by 3×3 in 1 groups"))
    #expect(
      message([3, 3, 1]) { $0.maxPooled(by: 5) }
        == "maxPool of 3×3×1 by 5×5: the window does not fit height × width × channels")
    #expect(
      message(.tokens(4)) { $0 + $0 }
        == "add of indices: only an embedding turns indices into numbers")
  }

  @Test("The first error is the one that is told")
  func firstError() {
    #expect(
      message([4]) { x in
        let bad = x.reshaped(to: [5]).product(with: x).softmax()
        return bad.reshaped(to: [7])
      } == "reshape of 4 to 5: the numbers of elements differ")
  }

  @Test("An output that depends on no input is refused")
  func constantOutput() {
    #expect(throws: TrainingError.self) {
      try Graph(tracing: Function { $0.constant(3) }, input: [4])
    }
  }

  @Test("A loss that does not go with the output is refused")
  func lossMismatch() {
    #expect(throws: TrainingError.self) {
      try Program(
        tracing: Function { $0.sum() }, input: [4], loss: .softmaxCrossEntropy, batchSize: 2)
    }
  }
}
