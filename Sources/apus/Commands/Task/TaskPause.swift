// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus task pause`.
struct TaskPause: Command {
  static let grammar = Grammar(
    name: "task pause",
    summary: "Let a task begin no more rounds, until it is resumed.",
    details: "The round that runs is finished.",
    arguments: [TaskGrammar.task],
    options: [HubAccess.option],
    examples: ["apus task pause digits"])

  private let hub: HubAccess
  private let task: String

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let info = try await hub.use(on: console) { try await $0.pauseTask(task) }
    try TaskGrammar.print(info, on: console)
    return .done
  }
}
