// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import CApus

extension RandomStream {
  /// Where to cut `count` things into parts whose proportions are drawn from Dir(alpha, …, alpha).
  ///
  /// - Returns: `parts` + 1 places, rising from 0 to `count`.
  mutating func dirichletCuts(_ count: Int, parts: Int, alpha: Double) -> [Int] {
    let proportions = dirichlet(parts, alpha: alpha)
    var cuts = [0]
    var sum = 0.0
    for proportion in proportions.dropLast() {
      sum += proportion
      cuts.append(Swift.min(Int(Double(count) * sum), count))
    }
    return cuts + [count]
  }

  /// `count` proportions that add up to 1, of the symmetric Dirichlet distribution.
  ///
  /// Gamma samples divided by their sum, in logarithms: for small alpha the samples underflow.
  mutating func dirichlet(_ count: Int, alpha: Double) -> [Double] {
    let logs = (0..<count).map { _ in logGamma(shape: alpha) }
    let largest = logs.max() ?? 0
    let samples = logs.map { apus_elementary_exp($0 - largest) }
    let sum = samples.reduce(0, +)
    return samples.map { $0 / sum }
  }

  /// The logarithm of a sample of the gamma distribution of scale 1.
  ///
  /// > G. Marsaglia, W. W. Tsang. "A simple method for generating gamma variables." TOMS 2000;
  /// > below shape 1, a sample of shape + 1 times U^(1/shape).
  mutating func logGamma(shape: Double) -> Double {
    if shape < 1 { return logGamma(shape: shape + 1) + apus_elementary_log(1 - uniform()) / shape }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let v = (1 + c * x) * (1 + c * x) * (1 + c * x)
      guard v > 0 else { continue }
      let logV = apus_elementary_log(v)
      if apus_elementary_log(1 - uniform()) < x * x / 2 + d - d * v + d * logV {
        return apus_elementary_log(d) + logV
      }
    }
  }
}
