// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics
import Testing

@testable import ApusTraining

@Suite struct FrozenParameterTests {
  struct Pretrained: Model {
    let body = Dense(5, activation: .silu)
    let middle = Dense(4, activation: .tanh)
    let head = Dense(3)

    func callAsFunction(_ x: Symbol) -> Symbol { head(middle(body(x))) }
  }

  private func program(freezing names: [String]) throws -> Program {
    let graph = try Graph(tracing: Pretrained(), input: [6]) { name in
      names.contains { name.hasPrefix($0) }
    }
    return try Program(graph, loss: .softmaxCrossEntropy, batchSize: 8)
  }

  @Test("What is frozen is in a layout of its own")
  func layouts() throws {
    let program = try program(freezing: ["body", "middle.bias"])
    #expect(
      program.layout.entries.map(\.name) == ["middle.weight", "head.weight", "head.bias"])
    #expect(
      program.graph.frozenLayout.entries.map(\.name)
        == ["body.weight", "body.bias", "middle.bias"])
    #expect(program.frozenParameters.count == 30 + 5 + 4)
  }

  @Test("Frozen parameters have no gradient steps, and nothing below them is differentiated")
  func pruning() throws {
    func steps(_ names: [String]) throws -> [Step] {
      let graph = try program(freezing: names).graph
      let differentiated = try Differentiator.differentiating(
        graph, loss: .softmaxCrossEntropy,
        target: Loss.softmaxCrossEntropy.targetSignature(for: graph.outputShape))
      return Schedule(differentiated, capacity: 8, isTraining: true).steps
    }
    let all = try steps([])
    // Forward: 3 products, 2 activations, 1 bias; loss; backward: 2 activations, 2 products; 6 sinks.
    // (The activation whose derivative needs its input has its bias added in a step of its own.)
    #expect(all.count(where: { $0.sink != nil }) == 6)
    #expect(all.count(where: { $0.action == .compute(.rowsProduct) }) == 3)
    #expect(all.count(where: { $0.action == .compute(.unaryGradient(.silu)) }) == 1)
    let head = try steps(["body", "middle"])
    #expect(head.count(where: { $0.sink != nil }) == 2)
    #expect(head.count(where: { $0.action == .compute(.rowsProduct) }) == 1)
    #expect(!head.contains { $0.action == .compute(.unaryGradient(.tanh)) })
    #expect(!head.contains { $0.action == .compute(.unaryGradient(.silu)) })
    // A frozen layer above trained ones passes the gradient on without one of its own.
    let body = try steps(["head"])
    #expect(body.count(where: { $0.sink != nil }) == 4)
    #expect(body.contains { $0.action == .compute(.unaryGradient(.silu)) })
  }

  @Test("Trained parameters have the same gradient whatever else is frozen")
  func gradients() throws {
    let whole = try program(freezing: [])
    let part = try program(freezing: ["middle"])
    let table = ExampleTable.random(8, for: whole.graph, loss: .softmaxCrossEntropy)
    let all = whole.initialParameters(seed: 4)
    func values(_ layout: ParameterLayout, of vector: ParameterVector) -> ParameterVector {
      ParameterVector(
        layout.entries.flatMap { entry in
          (whole.layout[entry.name]?.range ?? 0..<0).map { vector[$0] }
        })
    }
    part.frozenParameters = values(part.graph.frozenLayout, of: all)
    let x = values(part.layout, of: all)
    var (g, h) = (ParameterVector(count: all.count), ParameterVector(count: x.count))
    let loss = whole.gradient(at: all, on: table.batch(), into: &g)
    #expect(abs(part.gradient(at: x, on: table.batch(), into: &h) - loss) < 1e-6)
    #expect(distance(values(part.layout, of: g), h) <= 1e-6 * norm(h))
  }
}
