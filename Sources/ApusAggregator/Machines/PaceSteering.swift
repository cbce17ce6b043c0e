// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// When devices that hold no connection are to come back.
///
/// Few devices are told to come at the same moments, so that a round finds enough of them at once; many are
/// spread, so that no more come than rounds need. After a restart everybody comes back at once, and is
/// spread too.
///
/// > K. Bonawitz et al. "Towards Federated Learning at Scale: System Design." MLSys 2019, section 2.3.
/// > [arXiv:1902.01046](https://arxiv.org/abs/1902.01046).
struct PaceSteering: Sendable {
  struct Settings: Hashable, Sendable {
    /// Nobody is told to come back earlier, or in a narrower window.
    var shortest = Duration.seconds(1)
    /// Nobody is told to come back later.
    var longest = Duration.seconds(3600)
    /// How far apart the moments are at which few devices meet.
    var rendezvous = Duration.seconds(30)
    /// The same while a round waits for devices.
    var urgentRendezvous = Duration.seconds(2)
    /// From so many devices on, windows spread.
    var crowd = 200
    /// For so long after a start windows are wide, at least as wide as this.
    var recovery = Duration.seconds(60)
    /// How many devices may come back in a second after a start.
    var recoveryRate = 200.0

    init() {}
  }

  /// A device draws its moment in this window uniformly.
  struct Window: Hashable, Sendable {
    var earliest: Duration
    var latest: Duration
  }

  let settings: Settings
  /// When the aggregator began to serve.
  private let start: Duration
  /// Whether devices may be waiting for this start.
  private let isRecovering: Bool
  /// Check-ins a second, averaged over about the last minute.
  private(set) var arrivalRate = 0.0
  private var lastArrival: Duration?

  init(_ settings: Settings = Settings(), start: Duration, isRecovering: Bool) {
    self.settings = settings
    self.start = start
    self.isRecovering = isRecovering
  }

  /// Takes note of a check-in.
  mutating func arrived(at now: Duration) {
    if let lastArrival {
      let seconds = max((now - lastArrival).inSeconds, 1e-6)
      // An exponential average over a minute of the rate 1 / interval.
      let share = min(seconds / 60, 1)
      arrivalRate += share * (1 / seconds - arrivalRate)
    }
    lastArrival = now
  }

  /// When a device that asks now is to come back.
  ///
  /// - Parameters:
  ///   - population: devices that come and go, and may be wanted.
  ///   - goal: devices that a round invites; 0 where no task runs.
  ///   - isUrgent: whether a round waits for devices now.
  ///   - now: on the clock of the start.
  /// - Returns: never earlier or later than the settings allow, and never narrower than the shortest delay.
  func window(population: Int, goal: Int, isUrgent: Bool, at now: Duration) -> Window {
    var window: Window
    if population <= settings.crowd {
      window = coinciding(
        every: isUrgent ? settings.urgentRendezvous : settings.rendezvous, at: now)
    } else {
      // As many are to come in the time between two rendezvous as a round invites.
      let desiredRate = Double(max(goal, settings.crowd)) / settings.rendezvous.inSeconds
      let crowding = min(max(arrivalRate / desiredRate, 1), 4)
      let middle = Double(population) / desiredRate * crowding
      window = Window(earliest: .seconds(middle / 2), latest: .seconds(middle * 3 / 2))
    }
    if isRecovering, now - start < settings.recovery {
      let spread = max(settings.recovery, .seconds(Double(population) / settings.recoveryRate))
      if population > settings.crowd {
        window = Window(
          earliest: min(window.earliest, settings.shortest), latest: max(window.latest, spread))
      }
    }
    return clamped(window)
  }

  private func coinciding(every period: Duration, at now: Duration) -> Window {
    var delay = period - .seconds(now.inSeconds.truncatingRemainder(dividingBy: period.inSeconds))
    // Who would have to hurry takes the next moment.
    if delay < settings.shortest { delay += period }
    return Window(earliest: delay, latest: delay + settings.shortest)
  }

  private func clamped(_ window: Window) -> Window {
    let room = settings.longest - settings.shortest
    let earliest = min(max(window.earliest, settings.shortest), room)
    let latest = min(max(window.latest, earliest + settings.shortest), settings.longest)
    return Window(earliest: earliest, latest: latest)
  }
}

extension Duration {
  /// As a number.
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }

  /// Whole milliseconds, 0 for what is negative.
  var inMilliseconds: UInt64 {
    self <= .zero
      ? 0
      : UInt64(components.seconds) * 1000 + UInt64(components.attoseconds / 1_000_000_000_000_000)
  }
}
