// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusRounds

// Devices that are lost amid a round: whether it waits for them, and until when.
extension Engine {
  /// Whether a round waits for a device until its deadline, though it is lost: without it the quorum is missed,
  /// and another attempt could not begin either.
  func isIndispensable(
    _ client: ClientID, _ task: LiveTask, _ round: LiveRound
  ) -> Bool {
    guard devices.count <= settings.pace.crowd, !round.machine.canSpare(client) else {
      return false
    }
    let (now, quorum) = (now, round.machine.policy.quorum)
    let here = devices.filter { number, device in
      (device.waiter != nil || device.expectedUntil > now
        || leases.lease(of: ClientID(number)) != nil)
        && obstacle(to: device, number, in: task, round) == nil
    }
    return here.count < quorum
  }

  /// A device came that a round could have instead of those that it waits for: where it need not wait any longer, they
  /// are lost to it.
  func reconsiderMissed(_ task: LiveTask, _ round: LiveRound) {
    for number in round.missed.sorted() {
      let client = ClientID(number)
      guard leases.lease(of: client) == nil, round.machine.isWaiting(for: client),
        !round.isClosed
      else {
        round.missed.remove(number)
        continue
      }
      guard !isIndispensable(client, task, round) else { continue }
      round.missed.remove(number)
      var changes = Changes()
      let actions = round.machine.handle(.droppedOut(client))
      note("A device was lost; others are here.", task, round, to: &changes)
      enqueue(changes)
      perform(actions, task, round)
    }
  }
}
