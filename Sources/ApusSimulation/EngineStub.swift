// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// What the command line expects of the engine; the engine takes this file's place.

/// How a run is carried out, apart from what its recipe says.
public struct RunOptions: Sendable {
  /// Worker threads; nil for one a core.
  public var threads: Int?
  /// The directory that gets the run's directory; nil for `runs`.
  public var outputDirectory: String?
  /// Where data sets are looked for first.
  public var dataDirectory: String?
  public var environment: [String: String]
  /// Whether every client's part in every round is written to `clients.jsonl`.
  public var logsClients: Bool

  public init(
    threads: Int? = nil, outputDirectory: String? = nil, dataDirectory: String? = nil,
    environment: [String: String] = [:], logsClients: Bool = false
  ) {
    self.threads = threads
    self.outputDirectory = outputDirectory
    self.dataDirectory = dataDirectory
    self.environment = environment
    self.logsClients = logsClients
  }
}

/// One run of a recipe.
public final class Run {
  public let directory: String
  public let recipe: Recipe
  public var parameterCount: Int { 0 }
  public var clientCount: Int { recipe.data.clients ?? 0 }
  public var cohortSize: Int { 0 }

  public init(of recipe: Recipe, recipeFile: String, options: RunOptions) throws(SimulationError) {
    self.recipe = recipe
    directory = "\(options.outputDirectory ?? "runs")/\(recipe.name)-seed\(recipe.seed)"
    throw SimulationError(.init(rawValue: "missing"), "there is no engine yet")
  }

  public init(resuming directory: String, options: RunOptions) throws(SimulationError) {
    throw SimulationError(.init(rawValue: "missing"), "there is no engine yet")
  }

  public func run(stopRequested: @Sendable () -> Bool, onRound: (RoundRecord) -> Void)
    throws(SimulationError) -> RunSummary
  {
    throw SimulationError(.init(rawValue: "missing"), "there is no engine yet")
  }
}

/// What a sweep found for one point of its grid.
public struct SweepRow: Codable, Hashable, Sendable {
  public struct Setting: Codable, Hashable, Sendable {
    public var key: String
    public var value: String
  }

  /// A mean and the standard deviation of a sample (n − 1; 0 for one number).
  public struct Spread: Codable, Hashable, Sendable {
    public var mean: Double
    public var deviation: Double
  }

  public var settings: [Setting]
  /// One a seed, in their order.
  public var runs: [RunSummary]
  /// Over the runs that have one.
  public var finalAccuracy: Spread?
  public var roundsToTarget: Spread?
}

/// Runs of a grid of settings.
public struct Sweep {
  /// - Parameters:
  ///   - recipeFile: the recipe that the settings are put into.
  ///   - overrides: `key.path=value`, the same for all runs.
  ///   - grid: keys and the values that they take; all combinations are run.
  ///   - seeds: every combination is run with each of them.
  ///   - options: for all runs.
  ///   - stopRequested: asked between and within runs.
  ///   - onRun: told what every run came to.
  /// - Returns: one row a combination.
  /// - Throws: what `Run` throws.
  public static func run(
    recipeFile: String, setting overrides: [String], grid: [(key: String, values: [String])],
    seeds: [UInt64], options: RunOptions, stopRequested: @Sendable () -> Bool,
    onRun: (RunSummary) -> Void
  ) throws(SimulationError) -> [SweepRow] {
    throw SimulationError(.init(rawValue: "missing"), "there is no engine yet")
  }
}

/// What came of running an experiment again.
public struct ReproductionResult: Codable, Hashable, Sendable {
  public struct Claim: Codable, Hashable, Sendable {
    /// What is claimed, as a person says it.
    public var name: String
    /// What the committed result allows, as text.
    public var expected: String
    /// What this run came to, as text.
    public var measured: String
    public var passed: Bool

    public init(name: String, expected: String, measured: String, passed: Bool) {
      self.name = name
      self.expected = expected
      self.measured = measured
      self.passed = passed
    }
  }

  public var passed: Bool
  public var claims: [Claim]
}

/// Runs an experiment of `Simulations/` again and compares.
public struct Reproduction {
  public static func run(
    directory: String, options: RunOptions, stopRequested: @Sendable () -> Bool,
    onRound: (RoundRecord) -> Void
  ) throws(SimulationError) -> ReproductionResult {
    throw SimulationError(.init(rawValue: "missing"), "there is no engine yet")
  }
}

/// Charts of runs.
public enum Report {
  /// Writes a page, and the numbers as CSV beside it.
  public static func write(runs: [String], to path: String) throws(SimulationError) {
    throw SimulationError(.init(rawValue: "missing"), "there is no engine yet")
  }
}
