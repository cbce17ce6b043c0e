// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusWire

/// How long to wait after the n-th failure in a row: doubling, jittered, capped.
struct Backoff: Hashable, Sendable {
  var first: Duration
  var cap: Duration

  /// - Parameters:
  ///   - failureCount: at least 1.
  ///   - random: whose draw spreads devices that failed together.
  /// - Returns: between half of first × 2ⁿ⁻¹ and all of it, at most the cap.
  func delay(after failureCount: Int, _ random: inout RandomStream) -> Duration {
    let doublings = min(max(failureCount - 1, 0), 30)
    let full = min(first * (1 << doublings), cap)
    return full * random.uniform(in: 0.5...1)
  }
}

extension RandomStream {
  /// A number of the range, uniformly.
  fileprivate mutating func uniform(in range: ClosedRange<Double>) -> Double {
    let unit = Double(next() >> 11) / Double(1 << 53)
    return range.lowerBound + (range.upperBound - range.lowerBound) * unit
  }

  /// A moment of a window that the federation gave; nil where it gave none.
  mutating func moment(in window: Proto.RetryWindow?, cap: Duration) -> Duration? {
    guard let window, window.maxMs > 0 || window.minMs > 0 else { return nil }
    let limit = Double(cap.milliseconds)
    let lower = min(Double(window.minMs), limit)
    let upper = min(max(Double(window.maxMs), lower), limit)
    return .milliseconds(Int64(uniform(in: lower...upper)))
  }

  /// Some tenths around a duration, so that devices do not fall into step.
  mutating func jittered(_ duration: Duration, by part: Double) -> Duration {
    duration * uniform(in: (1 - part)...(1 + part))
  }
}

extension Duration {
  /// Whole milliseconds of a count that may be anything; what is beyond a year is a year.
  init(clampedMilliseconds count: UInt64) {
    self = .milliseconds(Int64(min(count, 365 * 86_400_000)))
  }

  var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }

  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
