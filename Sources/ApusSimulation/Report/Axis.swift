// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// A scale from values to places along an axis, with its ticks.
struct Axis: Sendable {
  let low: Double
  let high: Double
  let isLogarithmic: Bool
  let ticks: [Double]

  /// A linear axis over the values, with about `tickCount` round ticks, kept inside `limits`.
  ///
  /// With `isTight` it begins and ends with the values; otherwise with a tick.
  init(
    over values: [Double], within limits: ClosedRange<Double> = -.infinity ... .infinity,
    tickCount: Int = 5, isTight: Bool = false, isWhole: Bool = false
  ) {
    let finite = values.filter(\.isFinite)
    var low = finite.min() ?? 0
    var high = finite.max() ?? 1
    if low == high {
      let margin = isWhole ? 1 : Swift.max(abs(low) * 0.1, 1e-3)
      (low, high) = (low - margin, high + margin)
    }
    low = Swift.max(low, limits.lowerBound)
    high = Swift.min(high, limits.upperBound)
    let step = Self.roundStep((high - low) / Double(tickCount), isWhole: isWhole)
    // A sliver above a tick does not deserve another step.
    let first = (low / step + 1e-9).rounded(.down)
    let last = (high / step - 1e-9).rounded(.up)
    if !isTight {
      low = Swift.max(first * step, limits.lowerBound)
      high = Swift.min(last * step, limits.upperBound)
    }
    let slack = (high - low) * 1e-9
    self.low = low
    self.high = high
    isLogarithmic = false
    ticks = stride(from: first, through: last, by: 1).map { $0 * step }
      .filter { $0 >= low - slack && $0 <= high + slack }
  }

  /// A logarithmic axis over positive values, with ticks at 1, 2 and 5 times powers of ten.
  init(logarithmicOver values: [Double]) {
    let positive = values.filter { $0.isFinite && $0 > 0 }
    let low = positive.min() ?? 0.1
    let high = Swift.max(positive.max() ?? 1, low * 1.1)
    // The quotient of the two could be infinite.
    let decades = log10(high) - log10(low)
    let factors: [Double] = decades > 3 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5]
    let exponents = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
    let every = Swift.max(1, Int((decades / 7).rounded(.up)))
    ticks = exponents.filter { $0.isMultiple(of: every) }
      .flatMap { exponent in factors.map { $0 * pow(10, Double(exponent)) } }
      .filter { $0 >= low * 0.999 && $0 <= high * 1.001 }
    self.low = Swift.max(low / pow(10, decades * 0.03), .leastNormalMagnitude)
    self.high = Swift.min(high * pow(10, decades * 0.03), .greatestFiniteMagnitude)
    isLogarithmic = true
  }

  /// Where `value` is, 0 at the low end and 1 at the high one; not finite where it has no place.
  func place(of value: Double) -> Double {
    isLogarithmic
      ? value > 0 ? (log10(value) - log10(low)) / (log10(high) - log10(low)) : .nan
      : (value - low) / (high - low)
  }

  private static func roundStep(_ raw: Double, isWhole: Bool) -> Double {
    guard raw.isFinite, raw > 0 else { return 1 }
    let power = pow(10, log10(raw).rounded(.down))
    let fraction = raw / power
    let step = (fraction <= 1 ? 1 : fraction <= 2 ? 2 : fraction <= 5 ? 5 : 10) * power
    return isWhole ? Swift.max(step, 1) : step
  }
}
