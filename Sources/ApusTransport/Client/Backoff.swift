// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// How long to wait before the next attempt to connect: twice as long after each failure, give or take a part that
/// chance decides, so that many clients of one server do not come back at the same moment.
struct Backoff {
  private let first: Double
  private let limit: Double
  private var failures = 0

  /// - Parameters: in milliseconds.
  init(first: UInt64, limit: UInt64) {
    self.first = Double(first)
    self.limit = Double(limit)
  }

  mutating func succeed() { failures = 0 }

  /// Milliseconds from a failure to the next attempt; the jitter is in -1...1.
  mutating func fail(jitter: Double) -> UInt64 {
    let delay = min(limit, first * Double(UInt64(1) << min(failures, 30)))
    failures += 1
    return UInt64(delay * (1 + 0.2 * jitter))
  }
}
