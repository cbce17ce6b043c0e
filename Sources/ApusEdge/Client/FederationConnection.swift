// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusTransport
internal import ApusWire
internal import Synchronization

/// A device's way to its federation over TLS, with the identity in its state directory.
final class FederationConnection: EdgeConnection {
  private struct State {
    var device: DeviceIdentity
    var channel: any Channel
    /// The one before, over which calls may end that were begun over it; its connection goes when there are none.
    var former: (any Channel)?
    var isRenewing = false
    /// Before this moment a renewal that failed is not tried again.
    var nextAttempt: ContinuousClock.Instant?
  }

  private let state: Mutex<State>

  /// - Throws: `not-joined` where the directory has no identity.
  init(directory: String) throws(EdgeError) {
    let device = try DeviceIdentity.load(from: directory)
    state = Mutex(State(device: device, channel: try device.channel()))
  }

  var channel: any Channel { state.withLock { $0.channel } }

  var nextRefresh: Duration? {
    let (renewal, attempt) = state.withLock {
      ($0.device.identity.certificate.renewal(), $0.nextAttempt)
    }
    var pause = Duration.seconds(renewal - DeviceIdentity.now())
    if let attempt { pause = max(pause, ContinuousClock.now.duration(to: attempt)) }
    // No longer than an hour, since clocks are set; and not at once again where a renewal is under way.
    return min(max(pause, .milliseconds(250)), .seconds(3600))
  }

  /// Renews a certificate whose time has come: calls from then on show the new one.
  func refresh() async {
    let now = DeviceIdentity.now()
    let due = state.withLock { state -> (DeviceIdentity, any Channel)? in
      let isEarly = state.nextAttempt.map { ContinuousClock.now < $0 } ?? false
      guard !state.isRenewing, !isEarly, state.device.identity.certificate.isDue(at: now) else {
        return nil
      }
      state.isRenewing = true
      return (state.device, state.channel)
    }
    guard let (device, channel) = due else { return }
    let renewed = try? await device.renewIfDue(over: channel)
    let next = try? renewed?.channel()
    let former = state.withLock { state -> (any Channel)? in
      state.isRenewing = false
      guard let renewed, let next else {
        // The certificate in hand still holds; a tenth of what is left of it is waited.
        let left = max(device.identity.certificate.notAfter - now, 0)
        state.nextAttempt = .now + min(max(.seconds(left) / 10, .seconds(1)), .seconds(3600))
        return nil
      }
      let former = state.former
      state.former = state.channel
      (state.device, state.channel, state.nextAttempt) = (renewed, next, nil)
      return former
    }
    await former?.close()
  }

  func close() async {
    let (channel, former) = state.withLock { ($0.channel, $0.former) }
    await channel.close()
    await former?.close()
  }
}
