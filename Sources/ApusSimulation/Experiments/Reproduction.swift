// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// An experiment run again, and what came out held against its claims and its committed results.
public struct Reproduction: Sendable {
  public let experiment: Experiment
  /// In the order of the experiment's cells.
  public let rows: [(cell: String, rows: [SweepRow])]
  public let verdicts: [Verdict]
  public let comparisons: [Comparison]

  /// Whether every claim holds and every result is as committed.
  public var isReproduced: Bool {
    verdicts.allSatisfy(\.holds) && comparisons.allSatisfy(\.agrees)
  }

  /// A claim and what was measured.
  public struct Verdict: Sendable {
    public let claim: Experiment.Claim
    /// The best of the cell's grid; nil where no value of the grid gets there.
    public let measured: Double?
    public var holds: Bool {
      guard let measured else { return false }
      return measured <= claim.atMost ?? .infinity && measured >= claim.atLeast ?? -.infinity
    }
  }

  /// A run and the committed result of the same recipe and seed.
  public struct Comparison: Sendable {
    public let run: CommittedResult
    /// Nil where nothing is committed for it.
    public let committed: CommittedResult?
    /// Whether the model has the same bytes: so it is on the same kind of processor.
    public var isIdentical: Bool { run.modelDigest == committed?.modelDigest }
    /// Whether the figures are as close as another processor's rounding explains.
    public var agrees: Bool {
      guard let committed else { return true }
      return isIdentical || run.agrees(with: committed)
    }
  }

  /// Runs every cell of an experiment.
  ///
  /// - Parameters:
  ///   - experiment: what is claimed.
  ///   - output: where the runs' directories go; what is there is gone on with.
  ///   - options: threads and places.
  ///   - stopRequested: asked often.
  ///   - onEvent: told of every run and round.
  /// - Returns: what came out; nil where a stop was requested.
  /// - Throws: ``SimulationError``.
  public static func run(
    _ experiment: Experiment, output: String, options: RunOptions,
    stopRequested: @Sendable () -> Bool, onEvent: (_ cell: String, Sweep.Event) -> Void
  ) throws(SimulationError) -> Reproduction? {
    let committed = try CommittedResult.read(from: experiment)
    var rows: [(cell: String, rows: [SweepRow])] = []
    for cell in experiment.cells {
      let sweep = Sweep(
        recipeFile: experiment.recipeFile, overrides: cell.overrides, grid: cell.grid,
        seeds: cell.seeds, directory: "\(output)/\(cell.name)")
      let cellRows = try sweep.run(options: options, stopRequested: stopRequested) {
        onEvent(cell.name, $0)
      }
      guard let cellRows else { return nil }
      rows.append((cell.name, cellRows))
    }
    return Reproduction(experiment: experiment, rows: rows, committed: committed)
  }

  init(
    experiment: Experiment, rows: [(cell: String, rows: [SweepRow])], committed: [CommittedResult]
  ) {
    self.experiment = experiment
    self.rows = rows
    let best = { (cell: String, metric: RunMetric) -> Double? in
      rows.first { $0.cell == cell }.flatMap { cell in
        Self.best(of: cell.rows, by: metric)?.statistic(metric)?.mean
      }
    }
    verdicts = experiment.claims.map { claim in
      var measured = best(claim.cell, claim.metric)
      if let over = claim.over {
        let divisor = best(over, claim.metric)
        measured = measured.flatMap { value in divisor.map { value / $0 } }
      }
      return Verdict(claim: claim, measured: measured)
    }
    comparisons = CommittedResult.all(of: rows).map { result in
      Comparison(run: result, committed: committed.first { $0.isOfTheSameRun(as: result) })
    }
  }

  /// The best of a grid, by the mean over its seeds; nil where nothing gets there.
  static func best(of rows: [SweepRow], by metric: RunMetric) -> SweepRow? {
    let measured = rows.compactMap { row in
      row.statistic(metric).map { (row: row, mean: $0.mean) }
    }
    return metric.isBetterWhenSmaller
      ? measured.min { $0.mean < $1.mean }?.row : measured.max { $0.mean < $1.mean }?.row
  }
}
