// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus task cancel`.
struct TaskCancel: Command {
  static let grammar = Grammar(
    name: "task cancel",
    summary: "End a task, for good.",
    details: "The round that runs is abandoned; the versions that are published stay.",
    arguments: [TaskGrammar.task],
    options: [HubAccess.option],
    examples: ["apus task cancel digits"])

  private let hub: HubAccess
  private let task: String

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let info = try await hub.use(on: console) { try await $0.cancelTask(task) }
    try TaskGrammar.print(info, on: console)
    return .done
  }
}
