// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusWire

/// `apus round watch`: the round that runs.
struct RoundWatching: Command {
  static let grammar = Grammar(
    name: "round watch",
    summary: "Follow the round that runs to its end.",
    details: "Ends with 0 where it is published, with 1 where it is abandoned or none runs.",
    arguments: [TaskGrammar.task],
    options: [HubAccess.option],
    examples: ["apus round watch digits"])

  private let hub: HubAccess
  private let task: String

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    try await hub.use(on: console) { client in
      let info = try await client.task(task)
      guard let round = info.round, !round.state.isTerminal else {
        console.complain("no round of \(info.name) runs; the task is \(info.state.word)")
        return .failed
      }
      return try await Self.follow(
        round, of: info, after: info.eventSequence, with: client, on: console)
    }
  }

  /// Waits for the end of one attempt of a round and prints what it came to.
  nonisolated(nonsending) static func follow(
    _ round: Proto.RoundInfo, of task: Proto.TaskInfo, after sequence: UInt64,
    with client: CoordinatorClient, on console: Console
  ) async throws -> ExitCode {
    func isIt(_ other: Proto.RoundInfo) -> Bool {
      other.round == round.round && other.attempt >= round.attempt && other.state.isTerminal
    }
    let ending = try await TaskFollower(client, on: console, isSilent: console.format != .jsonl)
      .follow(task, after: sequence) { $0.round.map(isIt) ?? false }
    if case .interrupted = ending {
      console.complain("no longer watching; the round goes on: 'apus round watch \(task.taskId)'")
      return .interrupted
    }
    let result = try await client.round(round.round, of: task.taskId)
    if console.format != .jsonl { try RoundGrammar.print(result, on: console) }
    return result.state == .published ? .done : .failed
  }
}
