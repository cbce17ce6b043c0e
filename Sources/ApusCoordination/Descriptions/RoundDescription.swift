// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// One attempt of a round as programs read it.
package struct RoundDescription: Codable, Hashable, Sendable {
  /// Seconds by phase.
  package struct Seconds: Codable, Hashable, Sendable {
    package var select: Double
    package var collect: Double
    package var fold: Double
    package var evaluate: Double
    package var publish: Double
    package var total: Double
  }

  /// The task's id.
  package var task: String
  /// Counted from 1, as a simulation's metrics count.
  package var round: UInt64
  /// Counted from 1: an abandoned round is tried again.
  package var attempt: UInt64
  /// planned, selecting, collecting, folding, evaluating, published, abandoned or failed.
  package var state: String
  package var invited: UInt64
  package var accepted: UInt64
  package var rejected: UInt64
  package var dropped: UInt64
  package var notNeeded: UInt64
  /// Of all that is counted together: the number of examples.
  package var totalWeight: UInt64
  package var bytesDown: UInt64
  package var bytesUp: UInt64
  package var started: String?
  package var ended: String?
  package var seconds: Seconds
  package var accuracy: Double?
  package var loss: Double?
  package var trainingLoss: Double?
  /// Why it was abandoned.
  package var abandonment: String?
  /// Why updates were refused, and how many for each reason.
  package var rejections: [String: UInt64]
  /// Why devices gave their work back, and how many for each reason.
  package var givenBack: [String: UInt64]

  package init(_ info: Proto.RoundInfo) {
    task = info.taskId
    round = info.round + 1
    attempt = info.attempt
    state = info.state.word
    invited = info.invited
    accepted = info.accepted
    rejected = info.rejected
    dropped = info.dropped
    notNeeded = info.notNeeded
    totalWeight = info.totalWeight
    bytesDown = info.bytesDown
    bytesUp = info.bytesUp
    started = Moment.text(info.startedMs)
    ended = Moment.text(info.endedMs)
    seconds = Seconds(
      select: info.selectSeconds, collect: info.collectSeconds, fold: info.foldSeconds,
      evaluate: info.evaluateSeconds, publish: info.publishSeconds,
      total: info.selectSeconds + info.collectSeconds + info.foldSeconds + info.evaluateSeconds
        + info.publishSeconds)
    accuracy = info.metrics.value(of: "accuracy")
    loss = info.metrics.value(of: "loss")
    trainingLoss = info.metrics.value(of: "training_loss")
    abandonment = info.abandonment.isEmpty ? nil : info.abandonment
    rejections = info.rejections
    givenBack = info.givenBack
  }
}

extension [Proto.Metric] {
  func value(of name: String) -> Double? { first { $0.name == name }?.value }
}

extension Proto.RoundState {
  /// As commands print it.
  package var word: String {
    switch self {
    case .planned: "planned"
    case .selecting: "selecting"
    case .collecting: "collecting"
    case .folding: "folding"
    case .evaluating: "evaluating"
    case .published: "published"
    case .abandoned: "abandoned"
    case .failed: "failed"
    default: "unknown"
    }
  }

  /// Whether nothing comes after it.
  package var isTerminal: Bool { [.published, .abandoned, .failed].contains(self) }
}
