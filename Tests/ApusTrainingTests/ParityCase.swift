// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics
import ApusTraining
import Foundation
import Testing

/// Files of PyTorch's numbers; see Goldens/README.md.
struct Goldens {
  private let file: Safetensors

  init(_ name: String) throws {
    let url = try #require(
      Bundle.module.url(forResource: name, withExtension: "safetensors", subdirectory: "Goldens"))
    file = try Safetensors(contentsOf: url.path)
  }

  func shape(of name: String) throws -> Shape { try #require(file[name], "No \(name).").shape }

  func numbers(_ name: String) throws -> [Float] {
    try file.values(of: name).withUnsafeBufferPointer { Array($0) }
  }

  /// What follows the prefix in the names of arrays.
  func names(after prefix: String) -> [String] {
    file.tensors.map(\.name).filter { $0.hasPrefix(prefix) }
      .map { String($0.dropFirst(prefix.count)) }
  }
}

/// The length of the difference over the length of what is expected.
func relativeError(_ x: some Sequence<Float>, _ expected: [Float]) -> Double {
  let x = Array(x)
  guard x.count == expected.count else { return .infinity }
  var (difference, length) = (0.0, 0.0)
  for (x, expected) in zip(x, expected) {
    difference += (Double(x) - Double(expected)) * (Double(x) - Double(expected))
    length += Double(expected) * Double(expected)
  }
  if difference == 0 { return 0 }
  return length == 0 ? .infinity : (difference / length).squareRoot()
}

/// An operation or a layer that PyTorch has computed too.
struct ParityCase: CustomTestStringConvertible, Sendable {
  let name: String
  let body: @Sendable (Symbol, Operands) -> Symbol

  init(_ name: String, _ body: @escaping @Sendable (Symbol, Operands) -> Symbol) {
    self.name = name
    self.body = body
  }

  var testDescription: String { name }
}

/// Arrays that a case takes besides its input, as parameters.
final class Operands: Layer {
  let shapes: [String: Shape]

  init(_ shapes: [String: Shape]) { self.shapes = shapes }

  func callAsFunction(_ input: Symbol) -> Symbol { self("b", beside: input) }

  func callAsFunction(_ name: String, beside input: Symbol) -> Symbol {
    input.parameter(name, shapes[name] ?? [], .constant(0), of: self)
  }
}

/// A parameter of zeros that is added to a value, so that its gradient is the value's.
final class Probe: Layer {
  func callAsFunction(_ input: Symbol) -> Symbol {
    input + input.parameter("zeros", input.shape, .constant(0), of: self)
  }
}

/// A case between two probes.
struct ProbedModel: Model {
  let before = Probe()
  let after = Probe()
  let operands: Operands
  let takesTokens: Bool
  let body: @Sendable (Symbol, Operands) -> Symbol

  func callAsFunction(_ input: Symbol) -> Symbol {
    after(body(takesTokens ? input : before(input), operands))
  }
}

/// Runs a case as PyTorch did.
///
/// The program only has gradients of losses. A squared error whose target is the expected output minus
/// w · count / 2 has the output's gradient w; one whose target is 0 has 2 / count times the output.
struct ParityRun {
  let program: Program
  let x: ParameterVector
  private let goldens: Goldens
  private let name: String
  private let input: [Float]
  private let output: [Float]
  private let weight: [Float]
  private let inputShape: Shape
  private let outputShape: Shape
  private let takesTokens: Bool
  let count: Int

  init(_ parity: ParityCase, goldens: Goldens, capacity: Int) throws {
    self.goldens = goldens
    name = parity.name
    input = try goldens.numbers("\(name)/input")
    output = try goldens.numbers("\(name)/output")
    weight = try goldens.numbers("\(name)/weight")
    let whole = try goldens.shape(of: "\(name)/input")
    count = whole[0]
    inputShape = Shape(Array(whole.dimensions.dropFirst()))
    takesTokens = goldens.names(after: "\(name)/input_gradient").isEmpty
    var shapes: [String: Shape] = [:]
    for operand in goldens.names(after: "\(name)/parameter/") {
      shapes[operand] = try goldens.shape(of: "\(name)/parameter/\(operand)")
    }
    let model = ProbedModel(
      operands: Operands(shapes), takesTokens: takesTokens, body: parity.body)
    let graph = try Graph(
      tracing: model, input: InputSignature(inputShape, kind: takesTokens ? .tokens : .numbers))
    outputShape = graph.outputShape
    program = try Program(graph, loss: .meanSquaredError, batchSize: capacity)
    var x = ParameterVector(count: program.layout.count)
    for entry in program.layout.entries where !entry.name.hasSuffix(".zeros") {
      let values = try goldens.numbers("\(name)/parameter/\(Self.role(entry.name))")
      for (place, value) in zip(entry.range, values) { x[place] = value }
    }
    self.x = x
  }

  /// The last part of a parameter's name.
  static func role(_ name: String) -> String { String(name.split(separator: ".").last ?? "") }

  private func gradient(targets: [Float], rows: Range<Int32>) -> ParameterVector {
    let table = ExampleTable(
      count: count, inputShape: inputShape,
      inputs: takesTokens ? .tokens(input.map { Int32($0) }) : .numbers(input),
      targets: .values(targets, shape: outputShape))
    var gradient = ParameterVector(repeating: .nan, count: x.count)
    _ = program.gradient(
      at: x, on: Batch(table, indices: Array(rows)[...], random: RandomStream(seed: 1)),
      into: &gradient)
    return gradient
  }

  /// Targets that make w the output's gradient in a batch of so many.
  private func weighted(_ rows: Int) -> [Float] {
    let scale = Float(outputShape.count * rows) / 2
    return zip(output, weight).map { $0 - $1 * scale }
  }

  private func values(of parameter: String, in vector: ParameterVector) -> [Float] {
    program.layout[parameter].map { $0.range.map { vector[$0] } } ?? []
  }

  /// The output, example by example.
  func outputError() throws -> Double {
    let zeros = [Float](repeating: 0, count: output.count)
    let mine = (0..<Int32(count)).flatMap { row in
      values(of: "after.zeros", in: gradient(targets: zeros, rows: row..<row + 1))
        .map { $0 * Float(outputShape.count) / 2 }
    }
    return relativeError(mine, output)
  }

  /// The gradient by the input, example by example.
  func inputGradientError() throws -> Double {
    guard !takesTokens else { return 0 }
    let mine = (0..<Int32(count)).flatMap { row in
      values(of: "before.zeros", in: gradient(targets: weighted(1), rows: row..<row + 1))
    }
    return relativeError(mine, try goldens.numbers("\(name)/input_gradient"))
  }

  /// The largest error among the gradients by the parameters, from all examples at once.
  func parameterGradientError() throws -> Double {
    let gradient = gradient(targets: weighted(count), rows: 0..<Int32(count))
    var worst = 0.0
    for entry in program.layout.entries where !entry.name.hasSuffix(".zeros") {
      let expected = try goldens.numbers("\(name)/gradient/\(Self.role(entry.name))")
      worst = max(worst, relativeError(values(of: entry.name, in: gradient), expected))
    }
    return worst
  }
}
