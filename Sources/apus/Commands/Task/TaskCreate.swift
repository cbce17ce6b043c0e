// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus task create`: a task that does not start yet.
struct TaskCreate: Command {
  static let grammar = Grammar(
    name: "task create",
    summary: "Give an aggregator a task to train, without starting it.",
    details: """
      'apus task resume' starts it; 'apus round launch' runs single rounds of it. The recipe's data set is read \
      on this machine alone: the aggregator gets the model's graph, what devices' data must look like, and the \
      test examples that it measures on.
      """,
    arguments: [RunGrammar.recipe],
    options: TaskSubmission.options,
    examples: ["apus task create recipe.json5", "apus task create recipe.json5 --set rounds=50"])

  private let hub: HubAccess
  private let submission: TaskSubmission

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    submission = try TaskSubmission(words)
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let progress = ProgressLine("Reading recipe and data", on: console)
    defer { progress.finish() }
    let task = try submission.prepared(on: console)
    let info = try await hub.use(on: console) { client in
      try await submission.submit(task, start: false, to: client, progress: progress)
    }
    progress.finish()
    try TaskGrammar.print(info, on: console)
    return .done
  }
}
