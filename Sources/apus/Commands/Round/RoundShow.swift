// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus round show`: one round.
struct RoundShow: Command {
  static let grammar = Grammar(
    name: "round show",
    summary:
      "Tell what a round came to: devices, bytes, seconds by phase, why updates were rejected.",
    details: "Of several attempts the newest is told.",
    arguments: [TaskGrammar.task, RoundGrammar.round],
    options: [HubAccess.option],
    examples: ["apus round show digits 3"])

  private let hub: HubAccess
  private let task: String
  private let round: UInt64

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
    let text = words.argument(1) ?? ""
    guard let round = UInt64(text), round > 0 else {
      throw words.failure("ROUND \(text), expected a round's number, counted from 1")
    }
    self.round = round
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let info = try await hub.use(on: console) { try await $0.round(round - 1, of: task) }
    try RoundGrammar.print(info, on: console)
    return .done
  }
}
