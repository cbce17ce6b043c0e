// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Counts a client's pings: each costs an answer, and they are for finding out whether the connection lives.
///
/// As gRPC does it (proposal A8): pings that come too soon are strikes, what is sent for a call wipes them off, and
/// one strike too many ends the connection with `too_many_pings`.
struct PingGovernor {
  private let interval: UInt64
  private var last: UInt64?
  private var strikes = 0

  private static let strikeLimit = 2

  /// - Parameter interval: the least time between two pings, in milliseconds.
  init(interval: UInt64) { self.interval = interval }

  /// Whether a ping is still acceptable.
  mutating func ping(at now: UInt64) -> Bool {
    defer { last = now }
    // Clients measure at their end; a tenth is for the way.
    guard let last, now - last < interval - interval / 10 else { return true }
    strikes += 1
    return strikes <= Self.strikeLimit
  }

  /// Something was sent for a call, which a client may answer with a ping to measure the way.
  mutating func sent() {
    strikes = 0
    last = nil
  }
}
