// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// One round: select, broadcast, collect, combine, commit.
///
/// It decides and does nothing: events go in, actions come out, and its host (a simulation, an aggregator)
/// does what they say. There is no clock, no thread and no model in it.
///
/// ```
/// ready ── start ─▶ selecting ── selected ─▶ collecting ── enough ─▶ combining ─▶ committing ─▶ over
///   └─────────────────┴──── too few, cancelled, quorum missed ────────┴──────────────┴──────────▲
/// ```
///
/// Every client is counted at most once, however often it sends. An event that does not fit is one of three
/// things: our own bug (a trap in debug builds, ignored otherwise), the client's fault (answered by
/// ``Action/refuse(_:_:)``), or lawful noise, such as a deadline after the round's end (ignored).
///
/// - Complexity: O(log cohort) an event, O(1) while clients come in rising order, but for
///   ``Event/selected(_:)``: O(cohort) in rising order.
public struct RoundStateMachine: Sendable {
  /// Where the round stands.
  public enum State: Hashable, Sendable, Codable {
    /// Goes on with ``Event/start(population:)``.
    case ready
    /// Goes on with ``Event/selected(_:)``.
    case selecting(count: Int)
    /// Goes on when the goal is reached, when nobody is left to wait for, or after the deadline.
    case collecting
    /// Goes on with ``Event/combined`` or ``Event/notCombinable``.
    case combining
    /// Goes on with ``Event/committed``.
    case committing
    /// Goes nowhere.
    case over(RoundReport.Outcome)
  }

  /// What is known of an invited client.
  enum Standing: Hashable, Sendable {
    /// Waited for.
    case invited
    /// Gone, as far as is known.
    case droppedOut
    /// Its update is here and on its way into the sum.
    case folding(receipt: UInt64)
    /// Its update is in the sum.
    case folded(receipt: UInt64)
    /// Its update could not be counted.
    case rejected
    /// Came when enough others had come.
    case surplus
  }

  /// Counted from 0.
  public let round: Int
  public let policy: RoundPolicy
  public internal(set) var state = State.ready
  var standings = Standings()
  var deadlineHasPassed = false
  /// Places for clients that may still join.
  public internal(set) var openPlaceCount = 0

  // How many clients have which standing, so that no event has to count them.
  var waitedForCount = 0
  public internal(set) var foldingCount = 0
  public internal(set) var foldedCount = 0
  public internal(set) var rejectedCount = 0
  public internal(set) var surplusCount = 0
  public internal(set) var droppedOutCount = 0
  public internal(set) var totalWeight = 0
  public internal(set) var rejections: [String: Int] = [:]

  public init(round: Int, policy: RoundPolicy) {
    self.round = round
    self.policy = policy
  }

  /// Whether the round has ended, one way or the other.
  public var isOver: Bool {
    if case .over = state { true } else { false }
  }

  /// The clients whose updates are here but not yet said to be in the sum, in rising order.
  ///
  /// A host that was restarted folds these again, unless its sum has them.
  public var pendingFolds: [ClientID] {
    standings.folding
  }

  /// How many clients were invited so far.
  public var invitedCount: Int { standings.count }

  /// Whether a client was invited to this round.
  public func hasInvited(_ client: ClientID) -> Bool { standings[client] != nil }

  /// Whether an update of this invited client would still be welcome.
  public func isWaiting(for client: ClientID) -> Bool {
    guard state == .collecting, !deadlineHasPassed, foldedCount + foldingCount < policy.goal else {
      return false
    }
    return standings[client] == .invited || standings[client] == .droppedOut
  }

  /// Whether the round can still reach its quorum without a client.
  public func canSpare(_ client: ClientID) -> Bool {
    guard state == .collecting, !deadlineHasPassed, standings[client] == .invited else {
      return true
    }
    let others = waitedForCount + openPlaceCount - 1
    return foldedCount + foldingCount + others >= policy.quorum
  }

  /// Takes note of an event.
  ///
  /// - Parameter event: what happened.
  /// - Returns: what the host is to do, in this order.
  public mutating func handle(_ event: Event) -> [Action] {
    switch event {
    case .start(let population): start(population: population)
    case .selected(let clients): selected(clients)
    case .opened(let clients): opened(clients)
    case .joined(let client): joined(client)
    case .placesClosed: placesClosed()
    case .arrived(let client, let receipt): arrived(client, receipt: receipt)
    case .folded(let client, let weight): folded(client, weight: weight)
    case .rejected(let client, let reason): rejected(client, reason: reason)
    case .droppedOut(let client): droppedOut(client)
    case .deadlinePassed: deadlinePassed()
    case .combined: combined()
    case .notCombinable: notCombinable()
    case .committed: committed()
    case .cancelled: cancelled()
    }
  }

  /// How the round went, or goes.
  func report(_ outcome: RoundReport.Outcome) -> RoundReport {
    var report = RoundReport(round: round, outcome: outcome)
    report.invited = standings.count
    report.folded = foldedCount
    report.rejected = rejectedCount
    report.droppedOut = droppedOutCount
    report.surplus = surplusCount
    report.unanswered = waitedForCount + foldingCount
    report.totalWeight = totalWeight
    report.rejections = rejections
    return report
  }
}
