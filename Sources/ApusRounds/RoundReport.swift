// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// How a round ended, in numbers.
public struct RoundReport: Hashable, Sendable, Codable {
  public enum Outcome: Hashable, Sendable, Codable {
    /// The server has a new model.
    case committed
    /// The server's model is what it was.
    case abandoned(Abandonment)
  }

  /// Why a round came to nothing.
  public enum Abandonment: String, Hashable, Sendable, Codable {
    /// Fewer clients were there than the quorum.
    case tooFewClients = "too-few-clients"
    /// Fewer updates came, or could be counted, than the quorum.
    case quorumMissed = "quorum-missed"
    /// The aggregation rule could not combine what came.
    case notCombinable = "not-combinable"
    /// Its owner ended it.
    case cancelled
  }

  /// Counted from 0.
  public var round: Int
  public var outcome: Outcome
  /// Clients that were invited; the sum of the five counts that follow.
  public var invited = 0
  /// Clients whose updates were counted.
  public var folded = 0
  /// Clients whose updates were refused for what they held.
  public var rejected = 0
  /// Clients known to be gone.
  public var droppedOut = 0
  /// Clients that came when enough others had come.
  public var surplus = 0
  /// Clients that had not finished when the round ended, or came after the deadline.
  public var unanswered = 0
  /// The weights of the updates counted, added up.
  public var totalWeight = 0
  /// How many updates were rejected for which reason.
  public var rejections: [String: Int] = [:]

  public init(round: Int, outcome: Outcome) {
    self.round = round
    self.outcome = outcome
  }
}
