// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusTransport
internal import ApusWire

/// Which aggregator a command asks.
struct HubAccess {
  static let option = Option(
    "hub", .directory, "HUB",
    "The aggregator: its data directory, or HOST:PORT of one that was joined. If not said: $APUS_HUB, "
      + "./hub, or the only one that was joined.")

  let name: String?

  init(_ words: Words) { name = words.value(Self.option) }

  func profile(on console: Console) throws(CoordinationError) -> HubProfile {
    try HubProfile.find(name, environment: console.environment)
  }

  /// Asks it something; the connection is closed behind.
  nonisolated(nonsending) func use<Result>(
    on console: Console, _ body: nonisolated(nonsending) (CoordinatorClient) async throws -> Result
  ) async throws -> Result {
    let profile = try profile(on: console)
    console.detail("asking \(profile.address) as \(profile.identity.name.role.rawValue)")
    let client = try profile.client()
    do {
      let result = try await body(client)
      await client.close()
      return result
    } catch {
      await client.close()
      throw error
    }
  }
}
