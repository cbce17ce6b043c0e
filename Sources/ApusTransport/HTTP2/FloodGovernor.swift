// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Counts frames that cost work and bring nothing, as an allowance that refills.
///
/// nghttp2 bounds what piles up when answers are not read; this bounds what is read and answered: SETTINGS, PRIORITY,
/// empty DATA, unknown types.
struct FloodGovernor {
  private static let burst: UInt64 = 200
  private static let perSecond: UInt64 = 20

  /// In thousandths of a frame.
  private var allowance = burst * 1_000
  private var last: UInt64

  /// `now` is in milliseconds, as everywhere here.
  init(now: UInt64) { last = now }

  /// Whether one more is acceptable.
  mutating func frame(at now: UInt64) -> Bool {
    allowance = min(Self.burst * 1_000, allowance + (now - last) * Self.perSecond)
    last = now
    guard allowance >= 1_000 else { return false }
    allowance -= 1_000
    return true
  }
}
