// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import CApus
import Foundation
import Testing

@Suite(.everyInstructionSet) struct KernelActivationTests {
  private static let all: [apus_activation] = [
    .identity, .relu, .leaky_relu, .sigmoid, .tanh, .gelu, .gelu_tanh, .silu,
  ]
  private static let slope = 0.1

  private func exact(_ f: apus_activation, _ x: Double) -> Double {
    switch f {
    case .identity: x
    case .relu: max(x, 0)
    case .leaky_relu: x > 0 ? x : Double(Float(Self.slope)) * x
    case .sigmoid: 1 / (1 + exp(-x))
    case .tanh: tanh(x)
    case .gelu: x * 0.5 * erfc(-x / 2.0.squareRoot())
    case .gelu_tanh:
      0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .silu: x / (1 + exp(-x))
    }
  }

  private func isKnownByItsOutput(_ f: apus_activation) -> Bool {
    [.relu, .leaky_relu, .sigmoid, .tanh].contains(f)
  }

  @Test("Activations agree with the exact functions", arguments: all)
  func forward(f: apus_activation) throws {
    for n in awkwardLengths + [4000] {
      let x = numbers(n, seed: 1, in: -9...9)
      let y = try output(n) { kernels.activate(f, Float(Self.slope), n, x, $0) }
      for (x, y) in zip(x, y) {
        let error = abs(Double(y) - exact(f, Double(x)))
        #expect(error <= 3e-7 * max(1, Double(abs(x))), "at \(x)")
      }
    }
  }

  @Test("Their gradients agree with central differences", arguments: all)
  func gradient(f: apus_activation) throws {
    for n in awkwardLengths + [1000] {
      let x = numbers(n, seed: 2, in: -9...9)
      let dy = numbers(n, seed: 3)
      let y = try output(n) { kernels.activate(f, Float(Self.slope), n, x, $0) }
      let known = isKnownByItsOutput(f) ? y : x
      let dx = try output(n) {
        kernels.activation_gradient(f, Float(Self.slope), n, known, dy, $0)
      }
      let slopes = zip(x, dy).map { x, dy in
        let (x, h) = (Double(x), 1e-5)
        return Double(dy) * (exact(f, x + h) - exact(f, x - h)) / (2 * h)
      }
      #expect(difference(dx, slopes) < 1e-6)
    }
  }

  @Test("Bias and activation together are the one after the other, in place", arguments: all)
  func fused(f: apus_activation) throws {
    for n in awkwardLengths {
      let rows = 3
      let x = numbers(rows * n, seed: 4)
      let bias = numbers(n, seed: 5)
      let shifted = x.indices.map { x[$0] + bias[$0 % n] }
      let expected = try output(x.count) { kernels.activate(f, 0.1, x.count, shifted, $0) }
      let y = try output(x.count) { y in
        y.update(from: x, count: x.count)
        kernels.bias_activate(f, 0.1, rows, n, bias, y, y)
      }
      #expect(y == expected)
    }
  }

  @Test("A gradient may overwrite what came from above", arguments: all)
  func gradientInPlace(f: apus_activation) throws {
    let known = numbers(33, seed: 6)
    let dy = numbers(33, seed: 7)
    let apart = try output(33) { kernels.activation_gradient(f, 0.1, 33, known, dy, $0) }
    let inPlace = try output(33) {
      $0.update(from: dy, count: 33)
      kernels.activation_gradient(f, 0.1, 33, known, $0, $0)
    }
    #expect(apart == inPlace)
  }

  @Test("NaN passes through every activation", arguments: all)
  func notANumber(f: apus_activation) throws {
    #expect(try output(1) { kernels.activate(f, 0.1, 1, [.nan], $0) }[0].isNaN)
  }
}
