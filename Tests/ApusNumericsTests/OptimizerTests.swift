// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import ApusNumerics

struct OptimizerTests {
  struct Golden: Decodable {
    struct Case: Decodable {
      let title: String
      let optimizer: OptimizerChoice
      let first: [Float]
      let last: [Float]
    }
    let rate: Float
    let start: [Float]
    let gradients: [[Float]]
    let cases: [Case]
  }

  @Test("Every optimizer goes where PyTorch's goes")
  func parity() throws {
    let golden = try JSONDecoder().decode(Golden.self, from: try goldenFile("optimizers.json"))
    #expect(golden.cases.count == 9)
    for example in golden.cases {
      var optimizer = Optimizer(example.optimizer, parameterCount: golden.start.count)
      var x = ParameterVector(golden.start)
      for (step, gradient) in golden.gradients.enumerated() {
        optimizer.step(&x, with: ParameterVector(gradient), rate: golden.rate)
        if step > 0 && step < golden.gradients.count - 1 { continue }
        let expected = step == 0 ? example.first : example.last
        let error = (0..<x.count).map { abs(x[$0] - expected[$0]) }.max() ?? .infinity
        #expect(error < 1e-6, "\(example.title), step \(step + 1)")
      }
    }
  }

  @Test("A plain step is the formula, bit for bit, at every length")
  func plain() {
    #expect(OptimizerChoice.sgd().isPlain)
    #expect(!OptimizerChoice.sgd(momentum: 0.9).isPlain)
    #expect(!OptimizerChoice.sgd(weightDecay: 0.1).isPlain)
    #expect(!OptimizerChoice.adam().isPlain)
    var random = RandomStream(seed: 5)
    for count in [0, 1, 15, 16, 17, 100] {
      let start = ParameterVector((0..<count).map { _ in random.uniform(in: -1..<1) })
      let gradient = ParameterVector((0..<count).map { _ in random.uniform(in: -1..<1) })
      var (x, y) = (start, start)
      var optimizer = Optimizer(.sgd(), parameterCount: count)
      optimizer.step(&x, with: gradient, rate: 0.3)
      y.update(with: gradient) { y, g in y - 0.3 * g }
      #expect(x == y)
    }
  }

  @Test("A copy of an optimizer goes on by itself")
  func copies() {
    let gradient = ParameterVector([1, -2, 3])
    var (x, y) = (ParameterVector(count: 3), ParameterVector(count: 3))
    var first = Optimizer(.sgd(momentum: 0.5), parameterCount: 3)
    first.step(&x, with: gradient, rate: 1)
    var second = first
    second.step(&x, with: gradient, rate: 1)
    first.step(&y, with: gradient, rate: 1)
    #expect(x == ParameterVector([-2.5, 5, -7.5]))
    #expect(y == ParameterVector([-1.5, 3, -4.5]))
  }
}

/// A file of the folder Goldens.
func goldenFile(_ name: String) throws -> Data {
  try Data(contentsOf: goldenURL(name))
}

func goldenURL(_ name: String) -> URL {
  Bundle.module.bundleURL.appendingPathComponent("Goldens").appendingPathComponent(name)
}
