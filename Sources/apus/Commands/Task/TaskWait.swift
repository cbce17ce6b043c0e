// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusWire

/// `apus task wait`: for scripts.
struct TaskWait: Command {
  private static let timeout = Option(
    "timeout", .text, "SECONDS", "Give up after so many seconds; never if not said.")
  private static let rounds = Option(
    "rounds", .text, "N", "Wait until N rounds are published, and not for the end.")

  static let grammar = Grammar(
    name: "task wait",
    summary: "Wait until a task is over.",
    details: """
      Ends with 0 when the task is completed; with 1 when it is cancelled or failed, or is not over in time; \
      with 3 when the aggregator was away for more than two minutes.
      """,
    arguments: [TaskGrammar.task],
    options: [timeout, rounds, HubAccess.option],
    examples: [
      "apus task wait digits --timeout 600 && apus model pull digits",
      "apus task wait digits --rounds 3",
    ])

  private let hub: HubAccess
  private let task: String
  private let limit: Duration?
  private let roundCount: UInt64?

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
    limit = try words.integer(Self.timeout, in: 1...31_536_000).map { .seconds($0 as Int) }
    roundCount = try words.integer(Self.rounds, in: 1...UInt64(Int32.max))
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    try await hub.use(on: console) { client in
      let info = try await client.task(task)
      var ending = TaskFollower.Ending.over
      if !isThere(info) {
        ending = try await TaskFollower(client, on: console, isSilent: true)
          .follow(info, after: info.eventSequence, limit: limit) { event in
            guard let roundCount, let round = event.round else { return false }
            return round.state == .published && round.round + 1 >= roundCount
          }
      }
      if case .interrupted = ending { return .interrupted }
      let result = try await client.task(info.taskId)
      try TaskGrammar.print(result, on: console)
      if isThere(result), !result.state.isTerminal { return .done }
      if case .outOfTime = ending, !result.state.isTerminal {
        console.complain("the task is still \(result.state.word) after the time that was given")
        return .failed
      }
      if let roundCount, result.roundsPublished >= roundCount { return .done }
      return TaskGrammar.exitCode(result.state)
    }
  }

  private func isThere(_ info: Proto.TaskInfo) -> Bool {
    if info.state.isTerminal { return true }
    return roundCount.map { info.roundsPublished >= $0 } ?? false
  }
}
