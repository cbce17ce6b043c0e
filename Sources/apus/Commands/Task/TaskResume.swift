// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus task resume`.
struct TaskResume: Command {
  static let grammar = Grammar(
    name: "task resume",
    summary: "Start a task that was created or paused.",
    details: "A task that is over stays over.",
    arguments: [TaskGrammar.task],
    options: [HubAccess.option],
    examples: ["apus task resume digits"])

  private let hub: HubAccess
  private let task: String

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let info = try await hub.use(on: console) { try await $0.resumeTask(task) }
    try TaskGrammar.print(info, on: console)
    return .done
  }
}
