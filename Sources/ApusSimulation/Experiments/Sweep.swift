// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// The runs of one combination, a run for each seed.
public struct SweepRow: Encodable, Sendable {
  public var settings: SweepSettings
  public var summaries: [RunSummary]
  public var directories: [String]

  private enum CodingKeys: String, CodingKey {
    case settings, summaries, directories, finalAccuracy, bestAccuracy, roundsToTarget
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(
      Dictionary(settings.values.map { ($0.key, $0.value) }) { first, _ in first },
      forKey: .settings)
    try container.encode(summaries, forKey: .summaries)
    try container.encode(directories, forKey: .directories)
    try container.encodeIfPresent(statistic(.finalAccuracy), forKey: .finalAccuracy)
    try container.encodeIfPresent(statistic(.bestAccuracy), forKey: .bestAccuracy)
    try container.encodeIfPresent(statistic(.roundsToTarget), forKey: .roundsToTarget)
  }

  /// A figure over the seeds; nil where a seed has none.
  public func statistic(_ metric: RunMetric) -> Statistic? {
    let values = summaries.compactMap { metric.value(of: $0) }
    // A seed that never got there makes the mean of the others a flattering number.
    return values.count == summaries.count ? Statistic(of: values) : nil
  }
}

/// A recipe run for every combination of some values, with several seeds each.
public struct Sweep {
  public var recipeFile: String
  /// Put in place in every run, before the grid's values.
  public var overrides: [String]
  public var grid: SweepGrid
  public var seeds: [UInt64]
  /// A directory for each run is made here; one that is there already is gone on with.
  public var directory: String

  public init(
    recipeFile: String, overrides: [String] = [], grid: SweepGrid, seeds: [UInt64],
    directory: String
  ) {
    self.recipeFile = recipeFile
    self.overrides = overrides
    self.grid = grid
    self.seeds = seeds
    self.directory = directory
  }

  /// What a sweep tells while it runs.
  public enum Event {
    case runBegins(settings: SweepSettings, seed: UInt64, run: Run)
    case round(RoundRecord)
    case runEnds(RunSummary)
  }

  /// Runs what has not been run yet.
  ///
  /// - Parameters:
  ///   - options: threads and places; the output directories are the sweep's own.
  ///   - stopRequested: asked often; the sweep can be gone on with by running it again.
  ///   - onEvent: told of every run and round.
  /// - Returns: a row for each combination, in the grid's order; nil where a stop was requested.
  /// - Throws: ``SimulationError``, but for a run that diverges: that is a result too.
  public func run(
    options: RunOptions, stopRequested: @Sendable () -> Bool, onEvent: (Event) -> Void
  ) throws(SimulationError) -> [SweepRow]? {
    var rows: [SweepRow] = []
    // All recipes are read before the first runs: a wrong value is no surprise after an hour.
    let recipes = try grid.points.map { settings throws(SimulationError) in
      try seeds.map { seed throws(SimulationError) in
        try Recipe(
          contentsOf: recipeFile,
          setting: overrides + settings.overrides + ["seed=\(seed)"])
      }
    }
    for (settings, recipes) in zip(grid.points, recipes) {
      var row = SweepRow(settings: settings, summaries: [], directories: [])
      for recipe in recipes {
        let run = try open(recipe, settings, options)
        onEvent(.runBegins(settings: settings, seed: recipe.seed, run: run))
        let summary = try Self.finish(run, stopRequested) { onEvent(.round($0)) }
        onEvent(.runEnds(summary))
        if summary.outcome == .interrupted { return nil }
        row.summaries.append(summary)
        row.directories.append(run.directory)
      }
      rows.append(row)
    }
    return rows
  }

  /// Runs to the end; a run that diverges ends too.
  private static func finish(
    _ run: Run, _ stopRequested: @Sendable () -> Bool, _ onRound: (RoundRecord) -> Void
  ) throws(SimulationError) -> RunSummary {
    do {
      return try run.run(stopRequested: stopRequested, onRound: onRound)
    } catch  where error.code == .diverged {
      return try RunSummary(ofRun: run.directory)
    }
  }

  private func open(
    _ recipe: Recipe, _ settings: SweepSettings, _ options: RunOptions
  ) throws(SimulationError) -> Run {
    var name = settings.title.replacingOccurrences(of: " ", with: "-")
    name = name.map { $0.isLetter || $0.isNumber || "-=.".contains($0) ? String($0) : "_" }.joined()
    var options = options
    let output = "\(directory)/\(name.isEmpty ? "" : name + "-")seed\(recipe.seed)"
    options.outputDirectory = output
    guard FileManager.default.fileExists(atPath: output + "/recipe.json5") else {
      return try Run(of: recipe, recipeFile: recipeFile, options: options)
    }
    let run = try Run(resuming: output, options: options)
    guard run.isRun(of: recipe) else {
      throw SimulationError(
        .outputExists,
        "\(output) has a run of another recipe. Remove it, or choose another --out.")
    }
    return run
  }
}
