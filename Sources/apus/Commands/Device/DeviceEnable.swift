// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus device enable`.
struct DeviceEnable: Command {
  static let grammar = Grammar(
    name: "device enable",
    summary: "Give a disabled device work again.",
    details: "",
    arguments: [DeviceGrammar.device],
    options: [HubAccess.option],
    examples: ["apus device enable kitchen-tablet"])

  private let hub: HubAccess
  private let device: String

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    device = words.argument() ?? ""
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let info = try await hub.use(on: console) { try await $0.setDevice(device, enabled: true) }
    try DeviceGrammar.print(info, on: console)
    return .done
  }
}
