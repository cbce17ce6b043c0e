// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What time it is, for an engine.
struct EngineClock: Sendable {
  /// Since any moment; never goes back.
  var now: @Sendable () -> Duration
  /// Milliseconds since 1970 (UTC): for people, nothing is decided by it.
  var wall: @Sendable () -> Int64
  /// Whether time goes by itself; a test's clock is moved, and the engine told so.
  var runs = true

  static let system: EngineClock = {
    let start = ContinuousClock.now
    return EngineClock(
      now: { ContinuousClock.now - start }, wall: { Store.systemTime() })
  }()
}

/// How an engine behaves; the defaults are for production.
struct EngineSettings: Sendable {
  /// How long a lease lives without being kept alive.
  var lease = Duration.seconds(60)
  /// How much of it is left to a device whose stream broke.
  var leaseAfterLoss = Duration.seconds(10)
  /// How long a device whose stream broke is expected back.
  var expectation = Duration.seconds(5)
  /// How long devices that are enrolled are expected after a start.
  var recoveryExpectation = Duration.seconds(20)
  /// How long a round waits for more devices when there are enough to begin.
  var gathering = Duration.milliseconds(500)
  /// How long a check-in waits for a round that gathers devices.
  var pollHold = Duration.seconds(2)
  /// How long a device that gave its work back, or lost it, gets no other.
  var coolDown = Duration.seconds(5)
  /// How often a waiting device hears that there is nothing new, give or take a fifth.
  var heartbeat = Duration.seconds(30)
  /// How long what nobody waits for may wait for another commit to go with.
  var commitDelay = Duration.milliseconds(100)
  var pace = PaceSteering.Settings()
  /// Threads that measure models.
  var evaluationThreads = 2
  /// How many submissions are looked at at once.
  var submissionsAtOnce = 256

  init() {}
}
