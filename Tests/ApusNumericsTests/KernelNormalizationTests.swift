// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import CApus
import Testing

@Suite(.everyInstructionSet) struct KernelNormalizationTests {
  /// The normal form of some numbers, with their mean and the reciprocal of their deviation.
  private func normalized(_ x: [Double]) -> (x: [Double], mean: Double, reciprocal: Double) {
    let count = Double(x.count)
    let mean = x.reduce(0, +) / count
    let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    let reciprocal = 1 / (variance + 1e-5).squareRoot()
    return (x.map { ($0 - mean) * reciprocal }, mean, reciprocal)
  }

  /// Normalizes the elements that `group` gives one number, then scales and shifts by channel.
  private func groupNorm(
    _ x: [Double], groupCount: Int, _ group: (Int) -> Int, gamma: (Int) -> Double,
    beta: (Int) -> Double
  ) -> [Double] {
    var members = [[Int]](repeating: [], count: groupCount)
    for i in x.indices { members[group(i)].append(i) }
    var y = x
    for places in members {
      for (place, value) in zip(places, normalized(places.map { x[$0] }).x) {
        y[place] = value * gamma(place) + beta(place)
      }
    }
    return y
  }

  /// Σ dy · y by central differences in Double, at a few places.
  private func expectSlopes(
    _ gradient: [Float], at x: [Float], of f: ([Double]) -> Double
  ) {
    for place in stride(from: 0, to: x.count, by: max(1, x.count / 11)) {
      var moved = x.map(Double.init)
      moved[place] += 1e-4
      let above = f(moved)
      moved[place] -= 2e-4
      let slope = (above - f(moved)) / 2e-4
      #expect(abs(slope - Double(gradient[place])) < 1e-5 * (1 + abs(slope)), "at \(place)")
    }
  }

  @Test(
    "Group norm, its statistics and its gradients",
    arguments: [
      (spatial: 6, channels: 8, groups: 2), (4, 6, 6), (5, 48, 1), (3, 96, 2), (2, 51, 3),
      (9, 4, 1),
      (1, 64, 4), (3, 70, 35),
    ], [true, false])
  func groups(shape: (spatial: Int, channels: Int, groups: Int), isAffine: Bool) throws {
    let (spatial, channels, groups) = shape
    let size = channels / groups
    let count = 2 * spatial * channels
    let x = numbers(count, seed: 1).map { 3 * $0 + 1 }
    let gamma = isAffine ? numbers(channels, seed: 2) : nil
    let beta = isAffine ? numbers(channels, seed: 3) : nil
    let dy = numbers(count, seed: 4)
    let exact = { (x: [Double], gamma: [Double]?, beta: [Double]?) in
      groupNorm(
        x, groupCount: 2 * groups, { $0 / (spatial * channels) * groups + $0 % channels / size },
        gamma: { gamma?[$0 % channels] ?? 1 }, beta: { beta?[$0 % channels] ?? 0 })
    }
    let loss = { (y: [Double]) in zip(y, dy).reduce(0.0) { $0 + $1.0 * Double($1.1) } }
    let wide = (
      x: x.map(Double.init), gamma: gamma?.map(Double.init), beta: beta?.map(Double.init)
    )

    var mean = [Float](repeating: 0, count: 2 * groups)
    var reciprocal = mean
    let y = try output(count) {
      kernels.group_norm(
        2, spatial, channels, groups, 1e-5, x, gamma, beta, $0, &mean, &reciprocal)
    }
    #expect(difference(y, exact(wide.x, wide.gamma, wide.beta)) < 2e-6)
    let last = x.indices.suffix(spatial * channels).filter { $0 % channels / size == groups - 1 }
    let statistics = normalized(last.map { Double(x[$0]) })
    #expect(abs(Double(mean[2 * groups - 1]) - statistics.mean) < 1e-6)
    #expect(abs(Double(reciprocal[2 * groups - 1]) / statistics.reciprocal - 1) < 1e-6)

    let dx = try output(count) {
      $0.update(from: dy, count: count)
      kernels.group_norm_gradient(
        2, spatial, channels, groups, x, gamma, mean, reciprocal, $0, $0)
    }
    expectSlopes(dx, at: x) { loss(exact($0, wide.gamma, wide.beta)) }
  }

  @Test(
    "Layer norm, its statistics and its gradients", arguments: [1, 3, 16, 33, 100], [true, false])
  func layer(n: Int, isAffine: Bool) throws {
    let rows = 4
    let x = numbers(rows * n, seed: 1).map { 3 * $0 + 1 }
    let gamma = isAffine ? numbers(n, seed: 2) : nil
    let beta = isAffine ? numbers(n, seed: 3) : nil
    let dy = numbers(rows * n, seed: 4)
    let exact = { (x: [Double], gamma: [Double]?, beta: [Double]?) in
      groupNorm(
        x, groupCount: rows, { $0 / n }, gamma: { gamma?[$0 % n] ?? 1 },
        beta: { beta?[$0 % n] ?? 0 })
    }
    let loss = { (y: [Double]) in zip(y, dy).reduce(0.0) { $0 + $1.0 * Double($1.1) } }
    let wide = (
      x: x.map(Double.init), gamma: gamma?.map(Double.init), beta: beta?.map(Double.init)
    )

    var mean = [Float](repeating: 0, count: rows)
    var reciprocal = mean
    let y = try output(rows * n) {
      $0.update(from: x, count: rows * n)
      kernels.layer_norm(rows, n, 1e-5, $0, gamma, beta, $0, &mean, &reciprocal)
    }
    #expect(difference(y, exact(wide.x, wide.gamma, wide.beta)) < 2e-6)
    let dx = try output(rows * n) {
      kernels.layer_norm_gradient(rows, n, x, gamma, mean, reciprocal, dy, $0)
    }
    expectSlopes(dx, at: x) { loss(exact($0, wide.gamma, wide.beta)) }
  }

  @Test("Numbers far from zero keep their variance")
  func offset() throws {
    let n = 64
    let x = numbers(n, seed: 1).map { $0 + 4096 }
    let exact = normalized(x.map(Double.init))
    var (mean, reciprocal): (Float, Float) = (0, 0)
    _ = try output(n) { kernels.layer_norm(1, n, 1e-5, x, nil, nil, $0, &mean, &reciprocal) }
    #expect(abs(Double(reciprocal) / exact.reciprocal - 1) < 1e-6)
    _ = try output(n) { kernels.group_norm(1, 8, 8, 1, 1e-5, x, nil, nil, $0, &mean, &reciprocal) }
    #expect(abs(Double(reciprocal) / exact.reciprocal - 1) < 1e-6)
  }
}
