// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics

@testable import ApusTraining

/// A model that is a closure.
struct Function: Model {
  let body: @Sendable (Symbol) -> Symbol

  init(_ body: @escaping @Sendable (Symbol) -> Symbol) { self.body = body }

  func callAsFunction(_ input: Symbol) -> Symbol { body(input) }
}

/// A holder of parameters for models without layers.
final class Weights: Layer {
  func callAsFunction(_ input: Symbol) -> Symbol { input }
}

extension ExampleTable {
  /// Random examples for a graph and its loss: numbers in −1..<1, or tokens below 4.
  static func random(
    _ count: Int, for graph: Graph, loss: Loss, seed: UInt64 = 1
  ) -> ExampleTable {
    var stream = RandomStream(seed: seed)
    let inputCount = count * graph.input.shape.count
    let inputs: Inputs =
      graph.input.kind == .tokens
      ? .tokens((0..<inputCount).map { _ in Int32(stream.below(4)) })
      : .numbers((0..<inputCount).map { _ in stream.uniform(in: -1..<1) })
    let output = graph.outputShape
    let targets: Targets
    switch loss {
    case .softmaxCrossEntropy:
      let length = output.count / output[-1]
      let classes = (0..<count * length).map { _ in Int32(stream.below(output[-1])) }
      targets =
        length == 1
        ? .classes(classes, classCount: output[-1])
        : .sequences(classes.map { $0 == 0 ? -1 : $0 }, length: length, classCount: output[-1])
    case .sigmoidCrossEntropy, .meanSquaredError:
      targets = .values(
        (0..<count * output.count).map { _ in stream.uniform(in: 0..<1) }, shape: output)
    }
    return ExampleTable(
      count: count, inputShape: graph.input.shape, inputs: inputs, targets: targets)
  }

  func batch(_ range: Range<Int>? = nil, seed: UInt64 = 5) -> Batch {
    let range = range ?? 0..<count
    return Batch(
      self, indices: range.map { Int32($0) }[...], random: RandomStream(seed: seed))
  }
}

/// Numbers that are far from where functions bend: small, of both signs, none near 0.
func randomParameters(_ count: Int, seed: UInt64) -> ParameterVector {
  var stream = RandomStream(seed: seed)
  return ParameterVector(
    (0..<count).map { _ in
      let size = stream.uniform(in: 0.1..<0.9)
      return stream.below(2) == 0 ? size : -size
    })
}
