// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusRounds

/// What came of a round.
struct RoundOutcome {
  var jobs = RoundJobs()
  var tally = RoundTally()
  /// Nil until the round is over.
  var report: RoundReport?
  var trainSeconds = 0.0
  var aggregateSeconds = 0.0

  /// Keeps the report where the machine gives one.
  mutating func note(_ actions: [RoundStateMachine.Action]) {
    for action in actions {
      switch action {
      case .finish(let report), .abandon(let report): self.report = report
      default: break
      }
    }
  }

  /// Why the round came to nothing; nil where it did not.
  var abandonment: RoundReport.Abandonment? {
    if case .abandoned(let reason)? = report?.outcome { reason } else { nil }
  }
}

extension RoundRecord {
  init(_ outcome: RoundOutcome, round: Int, run: Run) {
    self.init(round: round)
    let modelBytes = run.parameterCount * MemoryLayout<Float>.size
    let report = outcome.report
    // What was folded in a round that came to nothing was not counted.
    let isCommitted = report?.outcome == .committed
    clients = isCommitted ? report?.folded ?? 0 : 0
    rejected = report?.rejected ?? 0
    dropped = (report?.droppedOut ?? 0) + (report?.unanswered ?? 0)
    examples = isCommitted ? outcome.tally.exampleCount : 0
    trainingLoss = outcome.tally.trainingLoss
    bytesDown = (report?.invited ?? 0) * modelBytes
    bytesUp = outcome.jobs.count * modelBytes
    seconds.train = outcome.trainSeconds
    seconds.aggregate = outcome.aggregateSeconds
  }
}
