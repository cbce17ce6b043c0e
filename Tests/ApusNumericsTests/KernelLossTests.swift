// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import CApus
import Foundation
import Testing

@Suite(.everyInstructionSet) struct KernelLossTests {
  private func softmax(_ row: ArraySlice<Float>) -> [Double] {
    let top = Double(row.max() ?? 0)
    let powers = row.map { exp(Double($0) - top) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  private func rows(_ x: [Float], of n: Int) -> [ArraySlice<Float>] {
    stride(from: 0, to: x.count, by: n).map { x[$0..<$0 + n] }
  }

  private static let widths = [1, 3, 10, 16, 17, 33, 100]

  @Test("Softmax and its logarithm agree with Double", arguments: widths, [1 as Float, 80])
  func softmaxForward(n: Int, scale: Float) throws {
    let x = numbers(3 * n, seed: 1, in: -scale...scale)
    let exact = rows(x, of: n).flatMap(softmax)
    #expect(difference(try output(3 * n) { kernels.softmax(3, n, x, $0) }, exact) < 3e-7)
    let inPlace = try output(3 * n) {
      $0.update(from: x, count: 3 * n)
      kernels.log_softmax(3, n, $0, $0)
    }
    #expect(difference(inPlace, exact.map { log($0) }) < 3e-7)
  }

  @Test("Their gradients agree with their formulas in Double", arguments: widths)
  func softmaxGradient(n: Int) throws {
    let x = numbers(3 * n, seed: 1, in: -4...4)
    let dy = numbers(3 * n, seed: 2)
    let p = rows(x, of: n).map(softmax)
    let above = rows(dy, of: n).map { $0.map(Double.init) }
    let y = try output(3 * n) { kernels.softmax(3, n, x, $0) }
    let exact = zip(p, above).flatMap { p, d in
      let mean = zip(p, d).reduce(0) { $0 + $1.0 * $1.1 }
      return zip(p, d).map { $0 * ($1 - mean) }
    }
    #expect(
      difference(try output(3 * n) { kernels.softmax_gradient(3, n, y, dy, $0) }, exact) < 3e-7)
    let logs = try output(3 * n) { kernels.log_softmax(3, n, x, $0) }
    let logExact = zip(p, above).flatMap { p, d in
      let sum = d.reduce(0, +)
      return zip(p, d).map { $1 - $0 * sum }
    }
    #expect(
      difference(try output(3 * n) { kernels.log_softmax_gradient(3, n, logs, dy, $0) }, logExact)
        < 1e-6)
  }

  @Test("Softmax cross-entropy agrees with Double, and skips negative labels", arguments: widths)
  func crossEntropy(n: Int) throws {
    let labels: [Int32] = [0, -1, Int32(n - 1), Int32(n / 2), -7]
    let x = numbers(5 * n, seed: 1, in: -4...4)
    var loss = 0.0
    var hits = 0
    var exact: [Double] = []
    for (row, label) in zip(rows(x, of: n), labels) {
      guard label >= 0 else {
        exact += row.map { _ in 0 }
        continue
      }
      var p = softmax(row)
      loss -= log(p[Int(label)])
      if row.firstIndex(of: row.max() ?? 0) == row.startIndex + Int(label) { hits += 1 }
      p[Int(label)] -= 1
      exact += p.map { 0.25 * $0 }
    }
    var correct = -1
    var counted = -1
    var sum = 0.0
    let dx = try output(5 * n) {
      sum = kernels.softmax_cross_entropy(5, n, x, labels, 0.25, $0, &correct, &counted)
    }
    #expect(abs(sum - loss) < 1e-6 * (1 + abs(loss)))
    #expect(difference(dx, exact) < 1e-6)
    #expect(correct == hits && counted == 3)
    #expect(kernels.count_labels(5, labels) == 3)
    let alone = kernels.softmax_cross_entropy(5, n, x, labels, 1, nil, nil, nil)
    #expect(abs(alone - loss) < 1e-6 * (1 + abs(loss)))
  }

  @Test("Among equal logits the first is the answer")
  func ties() {
    let logits: [Float] = [1, 2, 2, 1, 2, 2]
    var correct = -1
    _ = kernels.softmax_cross_entropy(2, 3, logits, [1, 2], 1, nil, &correct, nil)
    #expect(correct == 1)
  }

  @Test("A label that is no class makes the loss NaN, and touches nothing else")
  func badLabel() throws {
    var sum = 0.0
    let dx = try output(6) {
      sum = kernels.softmax_cross_entropy(2, 3, [1, 2, 3, 4, 5, 6], [3, 0], 1, $0, nil, nil)
    }
    #expect(sum.isNaN)
    #expect(dx[..<3] == [0, 0, 0] && dx[3] < 0)
  }

  @Test("A NaN among the logits makes the loss NaN")
  func notANumber() {
    #expect(kernels.softmax_cross_entropy(1, 3, [1, .nan, 3], [2], 1, nil, nil, nil).isNaN)
    #expect(kernels.sigmoid_cross_entropy(1, 1, [.nan], [1], 1, nil, nil).isNaN)
    #expect(kernels.squared_error(1, [.nan], [1], 1, nil).isNaN)
  }

  @Test("Sigmoid cross-entropy agrees with Double", arguments: widths, [1 as Float, 60])
  func sigmoidCrossEntropy(n: Int, scale: Float) throws {
    let x = numbers(4 * n, seed: 1, in: -scale...scale)
    let t = numbers(4 * n, seed: 2, in: 0...1).map { $0 > 0.3 ? $0 : 0 }
    let loss = zip(x, t).reduce(0.0) {
      let (x, t) = (Double($1.0), Double($1.1))
      return $0 + max(x, 0) - x * t + log1p(exp(-abs(x)))
    }
    let hits = zip(rows(x, of: n), rows(t, of: n)).count {
      zip($0, $1).allSatisfy { ($0 > 0) == ($1 > 0.5) }
    }
    var correct = -1
    var sum = 0.0
    let dx = try output(4 * n) {
      sum = kernels.sigmoid_cross_entropy(4, n, x, t, 0.5, $0, &correct)
    }
    #expect(abs(sum - loss) < 1e-6 * (1 + loss))
    #expect(correct == hits)
    #expect(
      difference(dx, zip(x, t).map { 0.5 * (1 / (1 + exp(-Double($0))) - Double($1)) }) < 3e-7)
  }

  @Test("The squared error agrees with Double", arguments: awkwardLengths)
  func squaredError(n: Int) throws {
    let x = numbers(n, seed: 1)
    let t = numbers(n, seed: 2)
    var sum = 0.0
    let dx = try output(n) { sum = kernels.squared_error(n, x, t, 0.5, $0) }
    let loss = zip(x, t).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    #expect(abs(sum - loss) < 1e-12 * (1 + loss))
    #expect(difference(dx, zip(x, t).map { Double($0) - Double($1) }) < 2e-7)
  }
}
