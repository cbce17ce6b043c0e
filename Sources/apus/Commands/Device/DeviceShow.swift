// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus device show`.
struct DeviceShow: Command {
  static let grammar = Grammar(
    name: "device show",
    summary: "Tell what is known of a device.",
    details: "",
    arguments: [DeviceGrammar.device],
    options: [HubAccess.option],
    examples: ["apus device show 3"])

  private let hub: HubAccess
  private let device: String

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    device = words.argument() ?? ""
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let info = try await hub.use(on: console) { try await $0.device(device) }
    try DeviceGrammar.print(info, on: console)
    return .done
  }
}
