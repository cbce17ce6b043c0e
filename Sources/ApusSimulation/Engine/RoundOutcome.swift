// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusRounds

/// A client whose update is wanted.
struct ClientJob: Sendable {
  var client: Int
  /// A straggler's; nil for all epochs.
  var epochLimit: Int?
}

/// What came of a client's work.
struct ClientResult: Sendable {
  enum Verdict: Sendable {
    case folded(weight: Int)
    case rejected(code: String, message: String)
  }

  var exampleCount = 0
  var lossSum = 0.0
  var stepCount = 0
  var verdict = Verdict.rejected(code: "not-run", message: "The client did not run.")
}

/// What came of a round.
struct RoundOutcome {
  var jobs: [ClientJob] = []
  var results: [ClientResult] = []
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

  /// The mean loss over all steps of all clients.
  var trainingLoss: Double? {
    let steps = results.reduce(0) { $0 + $1.stepCount }
    return steps == 0 ? nil : results.reduce(0) { $0 + $1.lossSum } / Double(steps)
  }

  /// The training examples of the clients that were counted.
  var exampleCount: Int {
    results.reduce(0) { sum, result in
      if case .folded = result.verdict { sum + result.exampleCount } else { sum }
    }
  }

  /// Why the round came to nothing; nil where it did not.
  var abandonment: RoundReport.Abandonment? {
    if case .abandoned(let reason)? = report?.outcome { reason } else { nil }
  }

  /// The clients whose numbers cannot be counted, where no client's can.
  var clientsBeyondNumbers: [Int] {
    let reasons = [NumericsError.Code.notFinite, .outOfBounds].map(\.rawValue)
    var clients: [Int] = []
    for (job, result) in zip(jobs, results) {
      switch result.verdict {
      case .folded: return []
      case .rejected(let code, _): if reasons.contains(code) { clients.append(job.client) }
      }
    }
    return clients
  }

  /// `client 7`, or `clients 1, 2, 3, 4, 5 and 6 more`.
  static func names(of clients: [Int]) -> String {
    let named = clients.prefix(5).map(String.init).joined(separator: ", ")
    let others = clients.count > 5 ? " and \(clients.count - 5) more" : ""
    return "client\(clients.count == 1 ? "" : "s") \(named)\(others)"
  }

  /// The messages of the updates that were not counted.
  var rejections: [(client: Int, message: String)] {
    zip(jobs, results).compactMap { job, result in
      if case .rejected(_, let message) = result.verdict { (job.client, message) } else { nil }
    }
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
    examples = isCommitted ? outcome.exampleCount : 0
    trainingLoss = outcome.trainingLoss
    bytesDown = (report?.invited ?? 0) * modelBytes
    bytesUp = outcome.jobs.count * modelBytes
    seconds.train = outcome.trainSeconds
    seconds.aggregate = outcome.aggregateSeconds
  }
}
