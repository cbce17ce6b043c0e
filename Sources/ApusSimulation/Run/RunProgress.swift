// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// How far a run is, from the records of its rounds alone: so a resumed run knows what an uninterrupted
/// one would.
struct RunProgress {
  private(set) var bestAccuracy: Double?
  private(set) var finalAccuracy: Double?
  private(set) var crossing: TargetCrossing?
  /// The losses of the last measured rounds.
  private var lateLosses: [Double] = []
  private var bestRound = 0
  /// The last round that was measured: of the others it is not known whether accuracy rose.
  private var lastRound = 0
  private let patience: Int?

  init(_ stop: Recipe.StopChoice, after records: [RoundRecord] = []) {
    crossing = stop.accuracy.map { TargetCrossing(target: $0) }
    patience = stop.patience
    for record in records { observe(record) }
  }

  mutating func observe(_ record: RoundRecord) {
    if let loss = record.loss { lateLosses = lateLosses.suffix(Self.lateCount - 1) + [loss] }
    guard let accuracy = record.accuracy else { return }
    lastRound = record.round
    finalAccuracy = accuracy
    crossing?.observe(accuracy: accuracy, atRound: record.round)
    if accuracy > bestAccuracy ?? -1 {
      bestAccuracy = accuracy
      bestRound = record.round
    }
  }

  /// As many rounds as papers average over to tell how a curve ends.
  private static let lateCount = 20

  /// The mean and deviation of the losses of the last measured rounds.
  var lateLoss: Statistic? { Statistic(of: lateLosses) }

  /// Why the run is to end before its last round; nil for no reason.
  var reasonToStop: String? {
    if let crossing, crossing.round != nil { return "accuracy \(crossing.target) is reached" }
    if let patience, lastRound - bestRound >= patience {
      return "accuracy has not risen for \(lastRound - bestRound) rounds"
    }
    return nil
  }
}
