// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusWire

/// `apus round launch`: one round and no more.
struct RoundLaunch: Command {
  private static let noWait = Option(
    flag: "no-wait", "End when the round has begun, and not when it is over.")

  static let grammar = Grammar(
    name: "round launch",
    summary: "Run one round of a task that was created or paused.",
    details: "Ends with 1 where the round was abandoned; the model is then what it was.",
    arguments: [TaskGrammar.task],
    options: [noWait, HubAccess.option],
    examples: ["apus round launch digits"])

  private let hub: HubAccess
  private let task: String
  private let waits: Bool

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
    waits = !words.contains(Self.noWait)
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    try await hub.use(on: console) { client in
      let before = try await client.task(task)
      let launched = try await client.launchRound(of: task)
      guard waits else {
        try RoundGrammar.print(launched, on: console)
        return .done
      }
      return try await RoundWatching.follow(
        launched, of: before, after: before.eventSequence, with: client, on: console)
    }
  }
}
