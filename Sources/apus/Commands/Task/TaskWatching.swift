// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusWire

/// `apus task watch`: what happens to a task, as it happens.
struct TaskWatching: Command {
  private static let after = Option(
    "after", .text, "N",
    "Only events after the N-th; 0 for all. If not said: all rounds from now on.")

  static let grammar = Grammar(
    name: "task watch",
    summary: "Show a task's rounds as they end, until it is over.",
    details: """
      A row a round: devices invited, updates accepted, devices dropped, accuracy, bytes, seconds by phase. With \
      --format jsonl a line an event, each with its number: a script that was interrupted goes on with --after.
      Ctrl-C ends the watching; the task goes on. Where the way to the aggregator breaks, it is tried again.
      """,
    arguments: [TaskGrammar.task],
    options: [after, HubAccess.option],
    examples: ["apus task watch digits", "apus task watch digits --format jsonl --after 0"])

  private let hub: HubAccess
  private let task: String
  private let after: UInt64?

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
    after = try words.integer(Self.after, in: 0...UInt64(Int64.max))
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    try await hub.use(on: console) { client in
      let info = try await client.task(task)
      return try await Self.follow(
        info, after: after ?? info.eventSequence, with: client, on: console)
    }
  }

  /// Follows a task to its end and says how it ended.
  nonisolated(nonsending) static func follow(
    _ info: Proto.TaskInfo, after sequence: UInt64, with client: CoordinatorClient,
    on console: Console
  ) async throws -> ExitCode {
    let ending = try await TaskFollower(client, on: console).follow(info, after: sequence)
    if case .interrupted = ending {
      console.complain("no longer watching; the task goes on: 'apus task watch \(info.taskId)'")
      return .interrupted
    }
    let result = try await client.task(info.taskId)
    if console.format == .text { console.print("") }
    if console.format != .jsonl { try TaskGrammar.print(result, on: console) }
    if result.state != .completed {
      console.complain(
        "the task is \(result.state.word)" + (result.problem.isEmpty ? "" : ": \(result.problem)"))
    }
    return TaskGrammar.exitCode(result.state)
  }
}
