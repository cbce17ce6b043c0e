// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusTraining

extension ParityCase {
  static let arithmetic: [ParityCase] = {
    var all: [ParityCase] = []
    let operators: [(String, @Sendable (Symbol, Symbol) -> Symbol)] = [
      ("add", { $0 + $1 }), ("subtract", { $0 - $1 }), ("multiply", { $0 * $1 }),
      ("divide", { $0 / $1 }),
    ]
    for (name, f) in operators {
      all += ["same", "row", "column", "outer"].map { form in
        ParityCase("\(name)/\(form)") { x, b in f(x, b(x)) }
      }
      all += [
        ParityCase("\(name)/left") { x, b in f(b(x), x) },
        ParityCase("\(name)/self") { x, _ in
          f(x.slice(0..<2, alongAxis: 0), x.slice(2..<4, alongAxis: 0))
        },
        ParityCase("\(name)/number") { x, _ in f(x, x.constant(0.7)) },
        ParityCase("\(name)/from_number") { x, _ in f(x.constant(0.7), x) },
      ]
    }
    all += [
      ParityCase("negate") { x, _ in -x },
      ParityCase("exp") { x, _ in x.exponential() },
      ParityCase("log") { x, _ in x.logarithm() },
      ParityCase("sqrt") { x, _ in x.squareRoot() },
      ParityCase("power/odd") { x, _ in x.power(3) },
    ]
    all += [2, 3, -1, 0.5, -0.5, 1.7, -2].map { (p: Float) in
      ParityCase("power/\(p)") { x, _ in x.power(p) }
    }
    return all
  }()

  static let activations: [ParityCase] =
    [
      ("relu", Activation.relu), ("leakyRelu", .leakyRelu(slope: 0.1)), ("sigmoid", .sigmoid),
      ("tanh", .tanh), ("gelu", .gelu), ("geluTanh", .geluTanh), ("silu", .silu),
    ].flatMap { (name, f) in
      [
        ParityCase("activation/\(name)") { x, _ in x.activated(f) },
        ParityCase("activation/\(name)/dense") { x, _ in Dense(5, activation: f)(x) },
      ]
    }

  static let products: [ParityCase] = [
    ParityCase("product/vector") { x, b in x.product(with: b(x)) },
    ParityCase("product/matrix") { x, b in x.product(with: b(x)) },
    ParityCase("product/right_transposed") { x, b in x.product(with: b(x), transposingRight: true)
    },
    ParityCase("product/left_transposed") { x, b in x.product(with: b(x), transposingLeft: true) },
    ParityCase("product/parameter_left") { x, b in b(x).product(with: x) },
    ParityCase("product/heads") { x, b in x.product(with: b(x)) },
    ParityCase("product/both") { x, _ in
      half(x, 0).product(with: half(x, 1), transposingRight: true)
    },
    ParityCase("product/both_transposed") { x, _ in
      half(x, 0).product(with: half(x, 1), transposingLeft: true)
    },
    ParityCase("product/attention") { x, _ in
      let scores = x.product(with: x, transposingRight: true) / Float(8).squareRoot()
      return scores.softmax().product(with: x)
    },
  ]

  private static func half(_ x: Symbol, _ index: Int) -> Symbol {
    x.slice(index..<index + 1, alongAxis: 0).reshaped(to: [4, 6])
  }

  static let reductions: [ParityCase] = {
    var all: [ParityCase] = []
    let reductions: [(String, @Sendable (Symbol, [Int]?, Bool) -> Symbol)] = [
      ("sum", { $0.sum(over: $1, keepingAxes: $2) }),
      ("mean", { $0.mean(over: $1, keepingAxes: $2) }),
      ("max", { $0.max(over: $1, keepingAxes: $2) }),
    ]
    for (name, f) in reductions {
      all += [
        ParityCase("\(name)/last") { x, _ in f(x, [-1], false) },
        ParityCase("\(name)/first") { x, _ in f(x, [0], false) },
        ParityCase("\(name)/middle_kept") { x, _ in f(x, [1], true) },
        ParityCase("\(name)/outer_two") { x, _ in f(x, [0, 2], false) },
        ParityCase("\(name)/all") { x, _ in f(x, nil, false) },
        ParityCase("\(name)/parameter") { x, b in x * f(b(x), [0], false) },
      ]
    }
    return all + [
      ParityCase("max/ties") { x, _ in x.max(over: [-1]) },
      ParityCase("softmax/vector") { x, _ in x.softmax() },
      ParityCase("softmax/matrix") { x, _ in x.softmax() },
      ParityCase("logSoftmax/vector") { x, _ in x.logSoftmax() },
      ParityCase("logSoftmax/matrix") { x, _ in x.logSoftmax() },
    ]
  }()

  static let shapings: [ParityCase] = [
    ParityCase("reshape") { x, _ in x.reshaped(to: [3, 8]) },
    ParityCase("transpose/matrix") { x, _ in x.transposed([1, 0]) },
    ParityCase("transpose/cube") { x, _ in x.transposed([2, 0, 1]) },
    ParityCase("transpose/four") { x, _ in x.transposed([3, 1, 0, 2]) },
    ParityCase("slice/last") { x, _ in x.slice(2..<7, alongAxis: 1) },
    ParityCase("slice/first") { x, _ in x.slice(1..<4, alongAxis: 0) },
    ParityCase("slice/overlapping") { x, _ in
      x.slice(0..<6, alongAxis: 0) * x.slice(3..<9, alongAxis: 0)
    },
    ParityCase("concatenation/last") { x, b in .concatenated([x, b(x), x], alongAxis: -1) },
    ParityCase("concatenation/first") { x, _ in .concatenated([x, x * x], alongAxis: 0) },
    ParityCase("padding") { x, _ in x.padded(before: [0, 2], after: [3, 1]) },
  ]
}
