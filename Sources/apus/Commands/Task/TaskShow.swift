// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus task show`.
struct TaskShow: Command {
  static let grammar = Grammar(
    name: "task show",
    summary: "Tell how a task stands.",
    details: "",
    arguments: [TaskGrammar.task],
    options: [HubAccess.option],
    examples: ["apus task show digits"])

  private let hub: HubAccess
  private let task: String

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let info = try await hub.use(on: console) { try await $0.task(task) }
    try TaskGrammar.print(info, on: console)
    return .done
  }
}
