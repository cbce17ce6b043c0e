// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

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

/// What came of the work of all clients, added up one by one in the cohort's order, so that the sums
/// have the same bits whoever was faster.
struct RoundTally: Sendable {
  /// Clients of whom some are named and the others counted.
  struct Named: Sendable {
    private(set) var first: [Int] = []
    private(set) var count = 0
    var isEmpty: Bool { count == 0 }

    /// `client 7`, or `clients 1, 2, 3, 4, 5 and 6 more`.
    var names: String {
      let named = first.map(String.init).joined(separator: ", ")
      let others = count > first.count ? " and \(count - first.count) more" : ""
      return "client\(count == 1 ? "" : "s") \(named)\(others)"
    }

    init() {}

    init(_ clients: some Collection<Int>) {
      first = Array(clients.prefix(5))
      count = clients.count
    }

    mutating func append(_ client: Int) {
      if first.count < 5 { first.append(client) }
      count += 1
    }
  }

  private(set) var stepCount = 0
  private(set) var lossSum = 0.0
  /// The training examples of the clients that were counted.
  private(set) var exampleCount = 0
  /// Clients whose loss is not finite.
  private(set) var diverged = Named()
  /// Why updates were not counted: of the first so many that were not.
  private(set) var rejections: [(client: Int, message: String)] = []
  private(set) var rejectedCount = 0
  private var foldedCount = 0
  private var beyondNumbers = Named()

  /// Rejections that are told with their reasons.
  static let longestRejections = 100

  /// Clients whose numbers cannot be counted, where no client's can.
  var clientsBeyondNumbers: Named { foldedCount == 0 ? beyondNumbers : Named() }

  /// The mean loss over all steps of all clients.
  var trainingLoss: Double? { stepCount == 0 ? nil : lossSum / Double(stepCount) }

  mutating func add(_ result: ClientResult, of client: Int) {
    stepCount += result.stepCount
    lossSum += result.lossSum
    if !result.lossSum.isFinite { diverged.append(client) }
    switch result.verdict {
    case .folded:
      foldedCount += 1
      exampleCount += result.exampleCount
    case .rejected(let code, let message):
      rejectedCount += 1
      if rejections.count < Self.longestRejections { rejections.append((client, message)) }
      let reasons = [NumericsError.Code.notFinite, .outOfBounds].map(\.rawValue)
      if reasons.contains(code) { beyondNumbers.append(client) }
    }
  }
}
