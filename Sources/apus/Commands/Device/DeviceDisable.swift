// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus device disable`.
struct DeviceDisable: Command {
  static let grammar = Grammar(
    name: "device disable",
    summary: "Give a device no more work, until it is enabled again.",
    details: "It stays enrolled; what it hands in for a round that runs is still counted.",
    arguments: [DeviceGrammar.device],
    options: [HubAccess.option],
    examples: ["apus device disable kitchen-tablet"])

  private let hub: HubAccess
  private let device: String

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    device = words.argument() ?? ""
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let info = try await hub.use(on: console) { try await $0.setDevice(device, enabled: false) }
    try DeviceGrammar.print(info, on: console)
    return .done
  }
}
