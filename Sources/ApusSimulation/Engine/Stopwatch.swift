// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// How long something takes, on a clock that does not jump.
struct Stopwatch: Sendable {
  private let start = ContinuousClock.now

  /// Seconds since the start.
  var seconds: Double {
    let elapsed = ContinuousClock.now - start
    return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
  }
}
