// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import Synchronization

/// A device's way to its federation over TLS, with the identity in its state directory.
final class FederationConnection: EdgeConnection {
  private struct State {
    var device: DeviceIdentity
    var channel: any Channel
    var lastLook: ContinuousClock.Instant?
  }

  private let state: Mutex<State>

  /// - Throws: `not-joined` where the directory has no identity.
  init(directory: String) throws(EdgeError) {
    let device = try DeviceIdentity.load(from: directory)
    state = Mutex(State(device: device, channel: try device.channel()))
  }

  var channel: any Channel { state.withLock { $0.channel } }

  /// Renews a certificate that ends soon; looks once an hour.
  func refresh() async {
    let now = ContinuousClock.now
    let due = state.withLock { state -> DeviceIdentity? in
      if let last = state.lastLook, now - last < .seconds(3600) { return nil }
      state.lastLook = now
      return state.device
    }
    // A renewal that fails is tried at the next look; the certificate in hand still holds.
    guard let device = due, let renewed = try? await device.renewIfDue(over: channel),
      let channel = try? renewed.channel()
    else { return }
    let old = state.withLock { state in
      let old = state.channel
      (state.device, state.channel) = (renewed, channel)
      return old
    }
    await old.close()
  }

  func close() async { await state.withLock { $0.channel }.close() }
}
