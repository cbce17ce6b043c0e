// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// What a run of an experiment gave, as `results/summary.json` keeps it.
public struct CommittedResult: Codable, Hashable, Sendable {
  public var cell: String
  /// `key.path=value` of the grid, in order.
  public var settings: [String]
  public var seed: UInt64
  public var outcome: RunSummary.Outcome
  public var rounds: Int
  public var roundsToTarget: Double?
  public var bestAccuracy: Double?
  public var finalAccuracy: Double?
  public var lateLoss: Double?
  public var lateLossDeviation: Double?
  public var modelDigest: String

  func isOfTheSameRun(as other: CommittedResult) -> Bool {
    cell == other.cell && settings == other.settings && seed == other.seed
  }

  /// Processors with other vector lengths add in another order; training magnifies the last bit, and a
  /// round count moves by some rounds with it.
  func agrees(with other: CommittedResult) -> Bool {
    func isNear(_ a: Double?, _ b: Double?, _ tolerance: (Double) -> Double) -> Bool {
      switch (a, b) {
      case (nil, nil): true
      case (let a?, let b?): abs(a - b) <= tolerance(b)
      default: false
      }
    }
    return outcome == other.outcome
      && isNear(roundsToTarget, other.roundsToTarget) { 2 + 0.1 * $0 }
      && isNear(bestAccuracy, other.bestAccuracy) { _ in 0.005 }
  }

  static func all(of cells: [(cell: String, rows: [SweepRow])]) -> [CommittedResult] {
    cells.flatMap { cell in
      cell.rows.flatMap { row in
        row.summaries.map { summary in
          CommittedResult(
            cell: cell.cell, settings: row.settings.overrides, seed: summary.seed,
            outcome: summary.outcome, rounds: summary.rounds,
            roundsToTarget: summary.roundsToTarget, bestAccuracy: summary.bestAccuracy,
            finalAccuracy: summary.finalAccuracy, lateLoss: summary.lateLoss,
            lateLossDeviation: summary.lateLossDeviation, modelDigest: summary.modelDigest)
        }
      }
    }
  }

  /// The committed results of an experiment; none where nothing was committed yet.
  static func read(from experiment: Experiment) throws(SimulationError) -> [CommittedResult] {
    let file = experiment.resultsDirectory + "/summary.json"
    guard let bytes = FileManager.default.contents(atPath: file) else { return [] }
    do {
      return try JSONDecoder().decode([CommittedResult].self, from: bytes)
    } catch {
      throw SimulationError(
        .notAnExperiment,
        "\(file) is not a list of results: \(error). Make it again with --update.",
        cause: error)
    }
  }
}
