// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusRounds
internal import ApusWire

/// What the engine looks at when its time has come.
enum Moment: Sendable {
  /// Whether rounds that gather devices can begin.
  case gathering
  /// Whether a round's time for updates is over.
  case deadline(RoundKey)
  /// Whether anybody is still expected for open places.
  case openPlaces(RoundKey)
  /// A brief wait is over.
  case briefWait(WaitingDevice)
  /// Changes wait to be committed.
  case commit
  /// A device may have work again.
  case rested(UInt64)
}

// One timer for all that has a time: leases, deadlines, heartbeats.
extension Engine {
  /// Has something looked at later.
  func schedule(_ moment: Moment, at time: Duration) {
    moments.insert(moment, at: time)
    arm()
  }

  /// Sets the timer to the earliest of all times.
  func arm() {
    guard clock.runs else { return }
    let times = [leases.nextExpiry, heartbeats.first?.time, moments.first?.time].compactMap(\.self)
    guard let next = times.min() else { return }
    if let armed, armed <= next { return }
    timer?.cancel()
    armed = next
    let delay = max(next - now, .milliseconds(1))
    timer = Task { [weak self] in
      do { try await Task.sleep(for: delay) } catch { return }
      await self?.timePassed()
    }
  }

  /// Looks at all whose time has come.
  func timePassed() {
    armed = nil
    let now = now
    for lease in leases.expire(at: now) { expired(lease) }
    while let (time, moment) = moments.first, time <= now {
      moments.removeFirst()
      look(at: moment)
    }
    while let (time, waiter) = heartbeats.first, time <= now {
      heartbeats.removeFirst()
      guard devices[waiter.device]?.waiter === waiter else { continue }
      let retry = retryWindow()
      waiter.put(
        Proto.AssignmentEvent {
          $0.event = .heartbeat(Proto.Heartbeat())
          $0.retry = retry
        })
      scheduleHeartbeat(of: waiter)
    }
    arm()
  }

  func scheduleHeartbeat(of waiter: WaitingDevice) {
    heartbeats.insert(waiter, at: now + settings.heartbeat * Double.random(in: 0.8...1.2))
  }

  private func look(at moment: Moment) {
    switch moment {
    case .gathering: for task in tasksInTurn { tryToOpen(task) }
    case .deadline(let key): deadlinePassed(key)
    case .openPlaces(let key):
      if let (task, round) = round(of: key) { closePlacesIfAlone(task, round) }
    case .briefWait(let waiter):
      if devices[waiter.device]?.waiter === waiter { waiter.close() }
    case .commit: commitSoon()
    case .rested(let number): deviceIsFree(number)
    }
  }

  /// Has the rounds that gather devices looked at, when others that come now have come too.
  func lookSoon() {
    // To look takes longer the more devices there are.
    let soon = now + .milliseconds(5) + .microseconds(5 * devices.count)
    if let next = nextLook, next <= soon, next > now { return }
    nextLook = soon
    schedule(.gathering, at: soon)
  }
}
