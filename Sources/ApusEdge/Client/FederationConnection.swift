// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusTransport
internal import ApusWire
internal import Synchronization

/// A device's way to its federation over TLS, with the identity in its state directory.
final class FederationConnection: EdgeConnection {
  private struct State {
    var device: DeviceIdentity
    var channel: GRPCChannel
    var lastLook: ContinuousClock.Instant?
  }

  private let directory: String
  private let state: Mutex<State>

  /// - Throws: `not-joined` where the directory has no identity.
  init(directory: String) throws(EdgeError) {
    self.directory = directory
    do {
      let device = try DeviceIdentity.load(from: directory)
      state = Mutex(State(device: device, channel: try Self.channel(device)))
    } catch {
      throw EdgeError(
        .notJoined,
        "\(directory) has no identity that can be used: \(error) Join with an invitation first.",
        cause: error)
    }
  }

  private static func channel(_ device: DeviceIdentity) throws -> GRPCChannel {
    guard let colon = device.address.lastIndex(of: ":"),
      let port = Int(device.address[device.address.index(after: colon)...])
    else { throw EdgeError(.notJoined, "The address \(device.address) is not HOST:PORT.") }
    let host = device.address[..<colon].filter { $0 != "[" && $0 != "]" }
    return try GRPCChannel(
      host: String(host), port: port,
      trust: .authorities(device.identity.authorities.map(\.der)),
      identity: try device.identity.tlsMaterial())
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
    guard var device = due else { return }
    // A renewal that fails is tried at the next look; the certificate in hand still holds.
    guard (try? await device.renewIfDue(over: channel)) == true,
      let renewed = try? DeviceIdentity.load(from: directory),
      let channel = try? Self.channel(renewed)
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
