// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusSimulation
internal import ApusWire

/// `apus task run`: a recipe, trained by the devices that have joined.
struct TaskRun: Command {
  private static let watch = Option(
    flag: "watch", "Follow the task to its end; a row a round.")

  static let grammar = Grammar(
    name: "task run",
    summary: "Train a recipe with the devices that have joined an aggregator.",
    details: """
      The same recipe as for 'apus simulate', and the same model, byte for byte, where devices 0, 1, 2 … have the \
      simulated clients' data. What data.split and data.clients say describes a simulation; here the devices' \
      data are what they are. The recipe's serve object has what only matters here: serve.minimumCohort, \
      serve.reportTimeout (seconds), serve.overSelection (1.3 if not said), serve.labels, \
      serve.participationLimit, serve.restRounds, serve.abandonmentLimit, serve.late ("discard" or "extend"), \
      serve.normBound, serve.updateFormat ("float32", "bfloat16", "float16"), serve.packed.
      With --watch a row a round: devices invited, updates accepted, devices dropped, accuracy, bytes, seconds by \
      phase. Ctrl-C ends the watching; the task goes on. The test examples of the data set go to the aggregator, \
      no training example does.
      """,
    arguments: [RunGrammar.recipe],
    options: [watch] + TaskSubmission.options,
    examples: [
      "apus task run recipe.json5 --watch",
      "apus task run recipe.json5 --submit-token night-$(date +%F) --format json",
    ])

  private let hub: HubAccess
  private let submission: TaskSubmission
  private let watches: Bool

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    submission = try TaskSubmission(words)
    watches = words.contains(Self.watch)
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let progress = ProgressLine("Reading recipe and data", on: console)
    defer { progress.finish() }
    let task = try submission.prepared(on: console)
    return try await hub.use(on: console) { client in
      let info = try await submission.submit(task, start: true, to: client, progress: progress)
      progress.note(
        "\(info.name): \(Cell.count(task.parameterCount)) parameters, "
          + "\(Cell.count(info.roundsWanted)) rounds, task \(info.taskId)")
      progress.finish()
      guard watches else {
        try TaskGrammar.print(info, on: console)
        return .done
      }
      return try await TaskWatching.follow(info, after: 0, with: client, on: console)
    }
  }
}
