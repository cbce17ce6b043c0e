// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusWire

/// What the commands about tasks have in common.
enum TaskGrammar {
  static let task = Argument(
    "TASK", .text, .one, "A task's id, or its name where no other task has it.")

  /// Prints one task.
  static func print(_ info: Proto.TaskInfo, on console: Console) throws {
    let task = TaskDescription(info)
    guard console.format == .text else { return try console.print(json: task) }
    for line in lines(task) { console.print(line) }
  }

  static func lines(_ task: TaskDescription) -> [String] {
    var lines = [
      "task      \(task.name), \(task.state)" + (task.problem.map { ": \($0)" } ?? ""),
      "id        \(task.task)",
      "rounds    \(rounds(task))"
        + (task.roundsAbandoned > 0 ? ", \(Cell.count(task.roundsAbandoned)) abandoned" : ""),
    ]
    if let round = task.round {
      lines.append(
        "now       round \(round.round), \(round.state): \(round.accepted) of \(round.invited) reported"
      )
    }
    if let best = task.bestAccuracy {
      lines.append("accuracy  \(Cell.percent(task.model?.accuracy)), best \(Cell.percent(best))")
    }
    if let model = task.model {
      lines.append("model     version \(model.version), sha256:\(model.modelDigest)")
    }
    lines.append("created   \(task.created)")
    if let ended = task.ended { lines.append("ended     \(ended)") }
    return lines
  }

  static func rounds(_ task: TaskDescription) -> String {
    "\(Cell.count(task.roundsPublished)) of \(Cell.count(task.roundsWanted))"
  }

  /// How a task's end is the command's.
  static func exitCode(_ state: Proto.TaskState) -> ExitCode {
    state == .completed ? .done : .failed
  }
}
