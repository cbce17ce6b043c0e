// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// How many clients a round wants, invites and cannot do without.
public struct RoundPolicy: Hashable, Sendable, Codable {
  /// Updates wanted, at least 1; the round closes when it has them.
  public var goal: Int
  /// Clients invited for each one wanted, at least 1.
  public var overSelection: Double
  /// The fewest updates that make a round, in 1...goal.
  public var quorum: Int

  /// - Parameters:
  ///   - goal: updates wanted, at least 1.
  ///   - overSelection: clients invited for each one wanted, at least 1.
  ///   - quorum: the fewest updates that make a round, as a share of the goal in 0...1; one is always
  ///     needed.
  /// - Throws: ``RoundError/Code/invalidValue``, naming the value.
  public init(goal: Int, overSelection: Double = 1, quorum: Double = 0) throws(RoundError) {
    guard goal >= 1 else {
      throw RoundError(.invalidValue, "A round's goal is \(goal) updates; expected at least 1.")
    }
    guard overSelection >= 1, Double(goal) * overSelection <= 0x1p40 else {
      throw RoundError(
        .invalidValue, "overSelection is \(overSelection); expected a number from 1 upwards.")
    }
    guard quorum >= 0, quorum <= 1 else {
      throw RoundError(.invalidValue, "quorum is \(quorum); expected a share in 0...1.")
    }
    self.goal = goal
    self.overSelection = overSelection
    self.quorum = max(1, Self.roundedUp(Double(goal) * quorum))
  }

  /// How many clients are invited where there are this many.
  public func invitationCount(population: Int) -> Int {
    min(population, Self.roundedUp(Double(goal) * overSelection))
  }

  /// Up to the next whole number, with what is above by rounding alone (100 × 1.1) taken off.
  private static func roundedUp(_ count: Double) -> Int {
    Int((count * (1 - 1e-12)).rounded(.up))
  }
}
