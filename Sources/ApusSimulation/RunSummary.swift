// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// How a run ended: `summary.json` in its directory.
public struct RunSummary: Codable, Hashable, Sendable {
  public enum Outcome: String, Codable, Sendable {
    /// All rounds of the recipe were run.
    case completed
    /// The recipe's stopping condition was met.
    case stopped
    /// A signal ended it; `apus simulate --resume` goes on.
    case interrupted
    /// A loss was not finite.
    case diverged
  }

  public var name: String
  public var seed: UInt64
  public var outcome: Outcome
  /// Rounds committed.
  public var rounds: Int
  public var finalAccuracy: Double?
  public var bestAccuracy: Double?
  /// The recipe's `stop.accuracy`.
  public var targetAccuracy: Double?
  /// The round at which the running best accuracy first reaches the target.
  ///
  /// Interpolated between rounds, as McMahan et al. read their curves.
  public var roundsToTarget: Double?
  /// Mean loss on the central test examples over the last measured rounds, at most 20 of them.
  public var lateLoss: Double?
  /// The standard deviation of these losses: how much the model still jumps about.
  public var lateLossDeviation: Double?
  public var parameterCount: Int
  /// SHA-256 of the model's numbers as little-endian Float32, in hexadecimal.
  public var modelDigest: String
  /// Wall-clock time, all sessions of a resumed run together.
  public var seconds: Double
  public var threads: Int
}

extension RunSummary {
  /// Reads the summary of a run that has ended, however.
  ///
  /// - Parameter directory: the run's.
  /// - Throws: `not-a-run`, where there is none.
  public init(ofRun directory: String) throws(SimulationError) {
    let file = directory + "/summary.json"
    guard let bytes = FileManager.default.contents(atPath: file) else {
      throw SimulationError(
        .notARun, "There is no \(file); expected the directory of a run that has ended.")
    }
    do {
      self = try JSONDecoder().decode(RunSummary.self, from: bytes)
    } catch {
      throw SimulationError(.notARun, "\(file) is not a run's summary: \(error)", cause: error)
    }
  }
}
