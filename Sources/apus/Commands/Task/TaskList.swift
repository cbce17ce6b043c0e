// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusWire

/// `apus task list`: what there is to train.
struct TaskList: Command {
  private static let state = Option(
    "state", .choice(Proto.TaskState.known.map(\.word)), "STATE", "Only tasks in this state.",
    isRepeatable: true)

  static let grammar = Grammar(
    name: "task list",
    summary: "List the training tasks of an aggregator.",
    options: [state, HubAccess.option],
    examples: ["apus task list", "apus task list --state running --format jsonl"])

  private let hub: HubAccess
  private let states: [Proto.TaskState]

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    let wanted = words.values(Self.state)
    states = Proto.TaskState.known.filter { wanted.contains($0.word) }
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let tasks = try await hub.use(on: console) { try await $0.tasks(in: states) }
      .map { TaskDescription($0) }
    guard console.format == .text else {
      try console.print(jsonRows: tasks)
      return .done
    }
    guard !tasks.isEmpty else {
      console.note("no tasks; 'apus task run RECIPE' makes one")
      return .done
    }
    Table.print(
      [
        .init(title: "name", side: .left), .init(title: "state", side: .left),
        .init(title: "rounds"), .init(title: "abandoned"), .init(title: "accuracy"),
        .init(title: "created", side: .left), .init(title: "id", side: .left),
      ],
      tasks.map { task in
        [
          task.name, task.state, TaskGrammar.rounds(task), Cell.count(task.roundsAbandoned),
          Cell.percent(task.model?.accuracy), task.created, task.task,
        ]
      }, on: console)
    return .done
  }
}
