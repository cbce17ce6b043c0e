// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus device list`: who has joined.
struct DeviceList: Command {
  static let grammar = Grammar(
    name: "device list",
    summary: "List the devices that have joined, and how they fare.",
    details: """
      A device's number is the client's number in the federation: devices count from 0 in the order in which \
      they joined.
      """,
    options: [HubAccess.option],
    examples: ["apus device list", "apus device list --format jsonl"])

  private let hub: HubAccess

  init(_ words: Words) throws(UsageError) { hub = HubAccess(words) }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let devices = try await hub.use(on: console) { try await $0.devices() }
      .map { DeviceDescription($0) }
    guard console.format == .text else {
      try console.print(jsonRows: devices)
      return .done
    }
    guard !devices.isEmpty else {
      console.note("no device has joined yet; 'apus invite' prints an invitation")
      return .done
    }
    Table.print(
      [
        .init(title: "number"), .init(title: "name", side: .left),
        .init(title: "role", side: .left),
        .init(title: "standing", side: .left), .init(title: "rounds"), .init(title: "rejected"),
        .init(title: "lost"), .init(title: "last seen", side: .left),
        .init(title: "labels", side: .left),
      ],
      devices.map { device in
        [
          DeviceGrammar.number(device), device.name, device.role, device.standing,
          Cell.count(device.roundsCounted),
          Cell.count(device.updatesRejected), Cell.count(device.leasesLost),
          device.lastSeen ?? "never", DeviceGrammar.labels(device),
        ]
      }, on: console)
    return .done
  }
}
