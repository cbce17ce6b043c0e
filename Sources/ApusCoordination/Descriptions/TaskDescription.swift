// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire
internal import Foundation

/// A task as programs read it: the stable form of `--format json`.
package struct TaskDescription: Codable, Hashable, Sendable {
  /// Its id, 32 hexadecimal digits.
  package var task: String
  package var name: String
  /// created, running, paused, completed, cancelled or failed.
  package var state: String
  package var roundsPublished: UInt64
  package var roundsWanted: UInt64
  package var roundsAbandoned: UInt64
  package var parameters: UInt64
  /// Times are UTC, as in RFC 3339.
  package var created: String
  package var ended: String?
  package var bestAccuracy: Double?
  /// Why it failed.
  package var problem: String?
  /// The newest version.
  package var model: ModelDescription?
  /// The round that runs.
  package var round: RoundDescription?
  /// Of the newest event.
  package var eventSequence: UInt64

  package init(_ info: Proto.TaskInfo) {
    task = info.taskId
    name = info.name
    state = info.state.word
    roundsPublished = info.roundsPublished
    roundsWanted = info.roundsWanted
    roundsAbandoned = info.roundsAbandoned
    parameters = info.parameterCount
    created = Moment.text(info.createdMs) ?? ""
    ended = Moment.text(info.endedMs)
    bestAccuracy = info.bestAccuracy > 0 ? info.bestAccuracy : nil
    problem = info.problem.isEmpty ? nil : info.problem
    model = info.model.map { ModelDescription($0) }
    round = info.round.map { RoundDescription($0) }
    eventSequence = info.eventSequence
  }
}

extension Proto.TaskState {
  /// As commands print it.
  package var word: String {
    switch self {
    case .created: "created"
    case .running: "running"
    case .paused: "paused"
    case .completed: "completed"
    case .cancelled: "cancelled"
    case .failed: "failed"
    default: "unknown"
    }
  }

  /// Whether nothing comes after it.
  package var isTerminal: Bool { [.completed, .cancelled, .failed].contains(self) }

  /// All that have a word.
  package static let known: [Proto.TaskState] = [
    .created, .running, .paused, .completed, .cancelled, .failed,
  ]
}
