// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

// Going down without losing anything.
extension Engine {
  /// Invites nobody any more, tells those who wait when to come back, gives rounds that run time to finish,
  /// and writes the sums of the others.
  ///
  /// - Parameter grace: how long rounds are given.
  func drain(grace: Duration) async {
    guard state == .serving || state == .recovering else { return }
    state = .draining
    log.info("The aggregator goes down.", ["grace_ms": "\(grace.inMilliseconds)"])
    for device in devices.values {
      // Those that work stay, for what they still hear: that their work is over.
      guard let waiter = device.waiter, leases.lease(of: device.facts.number) == nil else {
        continue
      }
      goodbye(waiter, "The aggregator goes down.")
    }
    if grace > .zero, roundsUnderWay > 0 {
      let alarm = Task { [weak self] in
        try? await Task.sleep(for: grace)
        await self?.resumeDrainers()
      }
      await withCheckedContinuation { drainers.append($0) }
      alarm.cancel()
    }
    state = .stopped
    for device in devices.values {
      if let waiter = device.waiter { goodbye(waiter, "The aggregator goes down.") }
    }
    timer?.cancel()
    let folds = tasks.values.compactMap { $0.round?.fold }
    await Compute.run { for fold in folds { try? fold.writeCheckpoint() } }
    try? await commitDecided()
    wakeWatchers()
    log.info("The aggregator has stopped.")
  }

  /// Rounds that have invited somebody.
  var roundsUnderWay: Int {
    tasks.values.reduce(0) { $0 + ($1.round.map { $0.isGathering ? 0 : 1 } ?? 0) }
  }

  func resumeDrainersIfIdle() {
    if state == .draining, roundsUnderWay == 0 { resumeDrainers() }
  }

  private func resumeDrainers() {
    let waiting = drainers
    drainers = []
    for drainer in waiting { drainer.resume() }
  }
}
