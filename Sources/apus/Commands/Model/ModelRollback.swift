// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus model rollback`: an earlier version again.
struct ModelRollback: Command {
  static let grammar = Grammar(
    name: "model rollback",
    summary: "Make an earlier version of a model the newest one again.",
    details: """
      It becomes a version of its own; nothing is taken away. The next round trains on it.
      """,
    arguments: [
      TaskGrammar.task,
      Argument("VERSION", .text, .one, "The version to go back to, counted from 1."),
    ],
    options: [HubAccess.option],
    examples: ["apus model rollback digits 7"])

  private let hub: HubAccess
  private let task: String
  private let version: UInt64

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
    version = try ModelGrammar.version(words)
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let model = try await hub.use(on: console) { try await $0.rollBack(task, to: version) }
    try ModelGrammar.print(model, on: console)
    return .done
  }
}
