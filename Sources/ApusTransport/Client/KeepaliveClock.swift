// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// When a client asks whether its server is still there.
///
/// It does while calls are open and nothing has come for a while. All moments in milliseconds of one clock.
struct KeepaliveClock {
  enum Verdict: Equatable {
    case ping
    /// A ping got no answer.
    case lost
    /// There has been no call for long.
    case idle
  }

  /// Milliseconds without a byte from the server before a ping.
  private(set) var interval: UInt64
  private let timeout: UInt64
  private let idleTimeout: UInt64
  private var lastHeard: UInt64
  private var pingedAt: UInt64?
  private var idleSince: UInt64?

  init(interval: UInt64, timeout: UInt64, idleTimeout: UInt64, now: UInt64) {
    self.interval = interval
    self.timeout = timeout
    self.idleTimeout = idleTimeout
    lastHeard = now
    idleSince = now
  }

  /// When `verdict` is to be asked next.
  var nextDue: UInt64 {
    if let idleSince { return idleSince + idleTimeout }
    return pingedAt.map { $0 + timeout } ?? lastHeard + interval
  }

  mutating func hear(at now: UInt64) {
    lastHeard = now
    pingedAt = nil
  }

  mutating func setCallCount(_ count: Int, at now: UInt64) {
    guard (count == 0) != (idleSince != nil) else { return }
    idleSince = count == 0 ? now : nil
    pingedAt = nil
    // A connection that has rested is asked an interval after the call began, not at once.
    lastHeard = max(lastHeard, now)
  }

  /// What is to be done now; a ping counts as sent.
  mutating func verdict(at now: UInt64) -> Verdict? {
    if let idleSince { return idleSince + idleTimeout <= now ? .idle : nil }
    if let pingedAt { return pingedAt + timeout <= now ? .lost : nil }
    guard lastHeard + interval <= now else { return nil }
    pingedAt = now
    return .ping
  }

  /// The server finds that there are too many pings.
  mutating func calmDown() { interval *= 2 }
}
