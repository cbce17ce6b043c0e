// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics
import OwnThreads
import Testing

@testable import ApusTraining

/// Every derivative rule against central differences of the interpreter, in Double.
@Suite(.ownThread) struct DerivativeTests {
  /// An operation between parameters that are multiplied into its operands, and a weighted output, so
  /// that every rule is reached with a gradient that differs from element to element.
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let input: InputSignature
    let loss: Loss
    let body: @Sendable (Symbol, Weights) -> Symbol

    init(
      _ name: String, _ input: InputSignature, loss: Loss = .meanSquaredError,
      _ body: @escaping @Sendable (Symbol, Weights) -> Symbol
    ) {
      testDescription = name
      self.input = input
      self.loss = loss
      self.body = body
    }
  }

  static func parameter(_ x: Symbol, _ w: Weights, _ name: String, _ shape: Shape) -> Symbol {
    x.parameter(name, shape, .constant(0), of: w)
  }

  /// x times one parameter per element.
  static func scaled(_ x: Symbol, _ w: Weights, _ name: String = "s") -> Symbol {
    x * parameter(x, w, name, x.shape)
  }

  private static func one(
    _ name: String, _ f: @escaping @Sendable (Symbol) -> Symbol
  ) -> Case {
    Case(name, [4, 3]) { x, w in f(scaled(x, w)) }
  }

  static let unaryCases: [Case] = [
    one("negate") { -$0 },
    one("exp") { $0.exponential() },
    one("log") { ($0 * $0 + 0.5).logarithm() },
    one("sqrt") { ($0 * $0 + 0.5).squareRoot() },
    one("power 3") { $0.power(3) },
    one("power 2.5") { ($0 * $0 + 0.5).power(2.5) },
    one("power -0.5") { ($0 * $0 + 0.5).power(-0.5) },
    one("relu") { $0.activated(.relu) },
    one("leaky relu") { $0.activated(.leakyRelu(slope: 0.2)) },
    one("sigmoid") { $0.activated(.sigmoid) },
    one("tanh") { $0.activated(.tanh) },
    one("gelu") { $0.activated(.gelu) },
    one("gelu tanh") { $0.activated(.geluTanh) },
    one("silu") { $0.activated(.silu) },
    one("softmax") { $0.softmax() },
    one("log softmax") { $0.logSoftmax() },
    one("sum") { $0.sum(over: [1]) },
    one("sum of all") { $0.sum() },
    one("sum over outer axes") {
      $0.reshaped(to: [2, 2, 3]).sum(over: [0, 2], keepingAxes: true)
    },
    one("mean") { $0.mean(over: [0], keepingAxes: true) },
    one("max") { $0.max(over: [1]) },
    one("max over both") { $0.max() },
    one("reshape") { $0.reshaped(to: [2, 6]).softmax() },
    one("transpose") { $0.reshaped(to: [2, 2, 3]).transposed([2, 0, 1]).softmax() },
    one("slice") { $0.slice(1..<3, alongAxis: 0).slice(0..<2, alongAxis: -1) },
    one("pad") { $0.padded(before: [1, 0], after: [0, 2]).softmax() },
    one("concatenate") { Symbol.concatenated([$0, $0 * $0, $0], alongAxis: 1).softmax() },
    one("layer norm") { $0.layerNormalized() },
    one("layer norm of all") { $0.layerNormalized(axes: 2) },
    one("group norm") { $0.reshaped(to: [3, 1, 4]).groupNormalized(groups: 2) },
  ]

  @Test("Each function of one value", arguments: unaryCases)
  func unary(_ example: Case) throws { try check(example) }

  private static func operand(
    _ x: Symbol, _ w: Weights, _ shape: Shape, _ isBatched: Bool, _ name: String
  ) -> Symbol {
    let p = parameter(x, w, name, shape)
    return isBatched ? p * x.slice(0..<shape.count, alongAxis: 0).reshaped(to: shape) : p
  }

  typealias Binary = @Sendable (Symbol, Symbol) -> Symbol

  /// Each function, for each pair of shapes and whichever is the same for all examples.
  static var binaryCases: [Case] {
    let shapes: [(String, Shape, Shape)] = [
      ("same shapes", [2, 3], [2, 3]), ("a row", [2, 3], [3]), ("a column", [2, 3], [2, 1]),
      ("an outer product", [2, 1], [1, 3]), ("a number", [2, 3], []),
      ("a middle axis", [2, 3, 2], [3, 1]),
    ]
    let functions: [(String, Binary)] = [
      ("add", { $0 + $1 }), ("subtract", { $0 - $1 }), ("multiply", { $0 * $1 }),
      ("divide", { $0 / ($1 * $1 + 0.5) }),
    ]
    var cases: [Case] = []
    for (name, a, b) in shapes {
      for (function, f) in functions {
        for (batchedA, batchedB) in [(true, true), (true, false), (false, true)] {
          cases.append(
            Case("\(function) \(name), batched: \(batchedA) \(batchedB)", [12]) { x, w in
              let a = operand(x, w, a, batchedA, "a")
              let b = operand(x, w, b, batchedB, "b")
              return f(f(a, b), b * b) + f(b, a)
            })
        }
      }
    }
    return cases
  }

  @Test("Each function of two values, however they are broadcast", arguments: binaryCases)
  func binary(_ example: Case) throws { try check(example) }

  static var productCases: [Case] {
    let operands: [(Shape, Shape, Bool, Bool)] = [
      ([2, 3], [3, 2], true, true), ([2, 3], [3, 2], true, false), ([2, 3], [3, 2], false, true),
      ([2, 2, 3], [2, 3, 2], true, true), ([2, 2, 3], [3, 2], true, false),
      ([2, 2, 3], [3, 2], true, true), ([2, 3], [2, 3, 2], false, true),
    ]
    var cases: [Case] = []
    for (a, b, batchedA, batchedB) in operands {
      for (left, right) in [(false, false), (false, true), (true, false), (true, true)] {
        cases.append(
          Case("\(a) by \(b), transposed: \(left) \(right), batched: \(batchedA) \(batchedB)", [12])
          {
            x, w in
            operand(x, w, left ? swapped(a) : a, batchedA, "a").product(
              with: operand(x, w, right ? swapped(b) : b, batchedB, "b"),
              transposingLeft: left, transposingRight: right)
          })
      }
    }
    return cases
  }

  private static func swapped(_ shape: Shape) -> Shape {
    var shape = shape
    shape.dimensions.swapAt(shape.rank - 1, shape.rank - 2)
    return shape
  }

  @Test(
    "Products of matrices, whichever is transposed or the same for all", arguments: productCases)
  func product(_ example: Case) throws { try check(example) }

  static let layerCases: [Case] = [
    Case("vector times matrix", [4]) { x, w in
      scaled(x, w).product(with: parameter(x, w, "m", [4, 3]))
    },
    Case("vector times a matrix of each example", [6]) { x, w in
      let matrix = x.reshaped(to: [2, 3]) * parameter(x, w, "m", [2, 3])
      return scaled(x.slice(0..<2, alongAxis: 0), w).product(with: matrix)
    },
    Case("vector times a transposed matrix of each example", [6]) { x, w in
      let matrix = x.reshaped(to: [3, 2]) * parameter(x, w, "m", [3, 2])
      return scaled(x.slice(0..<2, alongAxis: 0), w).product(with: matrix, transposingRight: true)
    },
    Case("gather", .tokens(3)) { x, w in
      let table = parameter(x, w, "t", [4, 2])
      return (table * table).gathered(at: x) * table.gathered(at: x)
    },
    Case("convolution, same", [4, 5, 2]) { x, w in
      scaled(x, w).convolved(with: parameter(x, w, "f", [3, 3, 2, 3]), padding: .same)
    },
    Case("convolution of single pixels", [2, 3, 4]) { x, w in
      scaled(x, w).convolved(with: parameter(x, w, "f", [1, 1, 4, 3]))
    },
    Case("convolution, stride 2, valid", [5, 6, 2]) { x, w in
      scaled(x, w).convolved(with: parameter(x, w, "f", [2, 3, 2, 3]), stride: 2)
    },
    Case("convolution, even kernel, same, stride 2", [5, 4, 1]) { x, w in
      scaled(x, w).convolved(
        with: parameter(x, w, "f", [2, 2, 1, 2]), stride: 2, padding: .same)
    },
    Case("convolution, even kernel, same", [4, 4, 1]) { x, w in
      scaled(x, w).convolved(with: parameter(x, w, "f", [4, 2, 1, 2]), padding: .same)
    },
    Case("convolution, two groups", [4, 4, 4]) { x, w in
      scaled(x, w).convolved(
        with: parameter(x, w, "f", [3, 3, 2, 6]), stride: 1, padding: .amount(1), groups: 2)
    },
    Case("depthwise convolution", [4, 4, 3]) { x, w in
      scaled(x, w).convolved(
        with: parameter(x, w, "f", [3, 3, 1, 6]), stride: 2, padding: .same, groups: 3)
    },
    Case("max pool", [4, 6, 2]) { x, w in scaled(x, w).maxPooled(by: 2) },
    Case("max pool, overlapping, same", [5, 4, 2]) { x, w in
      scaled(x, w).maxPooled(by: 3, stride: 2, padding: .same)
    },
    Case("max pool, even, same", [4, 4, 1]) { x, w in
      scaled(x, w).maxPooled(by: 2, stride: 1, padding: .same)
    },
    Case("relu and max pool", [5, 4, 2]) { x, w in
      (scaled(x, w) - 0.4).activated(.relu).maxPooled(by: 3, stride: 2, padding: .same)
    },
    Case("bias, relu and max pool", [5, 4, 2]) { x, w in
      (scaled(x, w) + parameter(x, w, "b", [2])).activated(.relu).maxPooled(by: 2, stride: 1)
    },
    Case("relu that is read twice and max pool", [4, 4, 1]) { x, w in
      let positive = scaled(x, w).activated(.relu)
      return positive.maxPooled(by: 2) + positive.averagePooled(by: 2)
    },
    Case("average pool", [4, 6, 2]) { x, w in scaled(x, w).averagePooled(by: 2) },
    Case("average pool, overlapping, padded", [5, 4, 2]) { x, w in
      scaled(x, w).averagePooled(by: 3, stride: 2, padding: .amount(1))
    },
    Case("average pool, even, same", [4, 4, 1]) { x, w in
      scaled(x, w).averagePooled(by: 2, stride: 1, padding: .same)
    },
    Case("softmax cross-entropy", [4], loss: .softmaxCrossEntropy) { x, w in scaled(x, w) },
    Case("softmax cross-entropy of sequences", [4, 3], loss: .softmaxCrossEntropy) { x, w in
      scaled(x, w)
    },
    Case("sigmoid cross-entropy", [4], loss: .sigmoidCrossEntropy) { x, w in scaled(x, w) },
    Case("mean squared error", [4]) { x, w in scaled(x, w) },
    Case("shared weights", [3]) { x, w in
      let m = parameter(x, w, "m", [3, 3])
      return x.product(with: m).activated(.tanh).product(with: m, transposingRight: true)
    },
    Case("residual", [3]) { x, w in
      let h = x.product(with: parameter(x, w, "m", [3, 3]))
      return (h + h.activated(.silu) * h).product(with: parameter(x, w, "n", [3, 2]))
    },
    Case("numbers", [3]) { x, w in
      let h = scaled(x, w)
      return (2 - h) * 3 + (1 / (h * h + 2)) / 0.5 - 0.25 + h.constant(3) * h.constant(2)
    },
    Case("one thing for all", [3]) { x, w in
      let p = parameter(x, w, "p", [3])
      return x * (p * 2).activated(.sigmoid) + p.sum()
    },
    Case("joined with what is the same for all", [3]) { x, w in
      .concatenated([scaled(x, w), parameter(x, w, "p", [2])], alongAxis: 0).softmax()
    },
  ]

  @Test("Layers and losses", arguments: layerCases)
  func layer(_ example: Case) throws { try check(example) }

  private func check(_ example: Case) throws {
    let weights = Weights()
    let model = Function { x in
      let y = example.body(x, weights)
      // Weighted, so that no gradient is the same for all elements.
      guard example.loss == .meanSquaredError else { return y }
      return y * Self.parameter(y, weights, "weights", y.shape)
    }
    let graph = try Graph(tracing: model, input: example.input)
    let table = ExampleTable.random(3, for: graph, loss: example.loss)
    let program = try Program(graph, loss: example.loss, batchSize: 8)
    try program.checkFits(table)
    let x = randomParameters(program.layout.count, seed: 3)
    var gradient = ParameterVector(repeating: .nan, count: x.count)
    let loss = program.gradient(at: x, on: table.batch(), into: &gradient)

    let interpreter = ReferenceInterpreter(graph: graph, loss: example.loss)
    let exact = (0..<x.count).map { Double(x[$0]) }
    let expected = interpreter.meanLoss(at: exact, on: table)
    #expect(abs(loss - expected) <= 1e-5 * max(1, abs(expected)), "\(loss) is not \(expected)")
    // Along some random directions: an error in any coordinate shows in all of them.
    var stream = RandomStream(seed: 11)
    for _ in 0..<4 {
      let direction = (0..<x.count).map { _ in stream.normal() }
      let h = 1e-5
      let above = interpreter.meanLoss(at: zip(exact, direction).map { $0 + h * $1 }, on: table)
      let below = interpreter.meanLoss(at: zip(exact, direction).map { $0 - h * $1 }, on: table)
      let expected = (above - below) / (2 * h)
      let slope = (0..<x.count).reduce(0.0) { $0 + Double(gradient[$1]) * direction[$1] }
      let size = (0..<x.count).reduce(1e-3) { $0 + abs(Double(gradient[$1]) * direction[$1]) }
      #expect(abs(slope - expected) <= 1e-5 * size, "\(slope) is not \(expected)")
    }
  }
}
