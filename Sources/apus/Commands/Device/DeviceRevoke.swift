// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus device revoke`.
struct DeviceRevoke: Command {
  static let grammar = Grammar(
    name: "device revoke",
    summary: "Take a device's certificate away, for good.",
    details:
      "From its next call on it is not let in; to come back it needs a new invitation, and is then another device.",
    arguments: [DeviceGrammar.device],
    options: [HubAccess.option],
    examples: ["apus device revoke 7"])

  private let hub: HubAccess
  private let device: String

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    device = words.argument() ?? ""
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let info = try await hub.use(on: console) { try await $0.revokeDevice(device) }
    try DeviceGrammar.print(info, on: console)
    return .done
  }
}
