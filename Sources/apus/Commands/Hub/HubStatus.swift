// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// How an aggregator fares, in words.
enum HubStatus {
  /// Asks the aggregator that is meant and prints what it says: what `apus status --hub` does.
  nonisolated(nonsending) static func print(hub: HubAccess, on console: Console) async throws {
    let description = try await hub.use(on: console) { client in
      HubDescription(try await client.status(), at: client.address)
    }
    guard console.format == .text else { return try console.print(json: description) }
    for line in lines(description) { console.print(line) }
  }

  static func lines(_ hub: HubDescription) -> [String] {
    let quota = hub.blobQuota.map { " of \(Cell.bytes($0))" } ?? ""
    return [
      "hub          \(hub.address), \(hub.state) for \(Cell.duration(hub.uptimeSeconds)), epoch \(hub.epoch), "
        + "apus \(hub.version)",
      "devices      \(Cell.count(hub.enrolledDevices)) enrolled, \(Cell.count(hub.waitingDevices)) wait for "
        + "work, \(Cell.count(hub.connections)) connections",
      "work         \(Cell.count(hub.runningTasks)) tasks run, \(Cell.count(hub.leases)) devices at work",
      "space        \(Cell.bytes(hub.blobBytes))\(quota) of models and updates, "
        + "\(Cell.bytes(hub.residentBytes)) of memory",
      "certificate  until \(hub.certificateExpires ?? "–")",
    ]
  }
}
