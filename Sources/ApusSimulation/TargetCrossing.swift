// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The round at which a curve of accuracies first reaches a target.
///
/// It is read as H. B. McMahan and others (AISTATS 2017, §3) read theirs: the curve is made monotone by
/// the best so far, and the crossing is interpolated linearly between two measurements.
public struct TargetCrossing: Sendable {
  public let target: Double
  /// Where the target was reached; nil as long as it was not.
  public private(set) var round: Double?
  /// The best accuracy so far.
  public private(set) var best: Double?
  private var bestRound = 0.0

  public init(target: Double) { self.target = target }

  /// Takes the next measurement, of a later round than the one before.
  public mutating func observe(accuracy: Double, atRound observed: Int) {
    guard round == nil, accuracy.isFinite else { return }
    let observedRound = Double(observed)
    if accuracy >= target {
      if let best, accuracy > best {
        let share = (target - best) / (accuracy - best)
        round = bestRound + share * (observedRound - bestRound)
      } else {
        round = observedRound
      }
    }
    // Below the best so far the monotone curve is flat: the next segment begins here, not at the peak.
    best = max(best ?? accuracy, accuracy)
    bestRound = observedRound
  }

  /// Where a whole curve reaches the target.
  public static func round(ofReaching target: Double, in records: [RoundRecord]) -> Double? {
    var crossing = TargetCrossing(target: target)
    for record in records {
      if let accuracy = record.accuracy {
        crossing.observe(accuracy: accuracy, atRound: record.round)
      }
    }
    return crossing.round
  }
}
