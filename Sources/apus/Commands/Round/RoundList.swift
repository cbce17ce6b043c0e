// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus round list`: what a task's rounds came to.
struct RoundList: Command {
  static let grammar = Grammar(
    name: "round list",
    summary: "List a task's rounds, those that were abandoned too.",
    details: "2.3 is the third attempt at round 2.",
    arguments: [TaskGrammar.task],
    options: [HubAccess.option],
    examples: ["apus round list digits", "apus round list digits --format jsonl"])

  private let hub: HubAccess
  private let task: String

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let rounds = try await hub.use(on: console) { try await $0.rounds(of: task) }
      .map { RoundDescription($0) }
    guard console.format == .text else {
      try console.print(jsonRows: rounds)
      return .done
    }
    let table = RoundTable(on: console)
    console.print(console.output.styled(table.header, .bold))
    for round in rounds { console.print(table.row(round)) }
    return .done
  }
}
