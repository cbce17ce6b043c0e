// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData
internal import Foundation

/// A directory under `Simulations/`: a recipe, what of it is tried, and what a paper says comes out.
///
/// `experiment.json5`:
///
/// ```json5
/// {
///   title: "FedAvg on MNIST with the 2NN",
///   source: "McMahan et al., AISTATS 2017, Table 1",
///   cells: {
///     "iid-e1-b10": {
///       set: { "algorithm.fedavg.localEpochs": 1 },              // over the recipe, in every run
///       grid: { "algorithm.fedavg.learningRate": [0.05, 0.1, 0.215] },
///       seeds: [1],
///     },
///   },
///   claims: [
///     { cell: "iid-e1-b10", metric: "roundsToTarget", atMost: 100, published: 87 },
///   ],
/// }
/// ```
public struct Experiment: Hashable, Sendable {
  public var directory: String
  public var title: String
  public var source: String
  public var cells: [Cell]
  public var claims: [Claim]

  /// One line of a paper's table: a setting, tried with every value of a grid.
  public struct Cell: Hashable, Sendable {
    public var name: String
    /// `key.path=value`.
    public var overrides: [String]
    public var grid: SweepGrid
    public var seeds: [UInt64]
  }

  /// What is to hold for the best of a cell's grid.
  public struct Claim: Hashable, Sendable {
    public var cell: String
    public var metric: RunMetric
    /// A cell whose figure this one is divided by.
    public var over: String?
    public var atMost: Double?
    public var atLeast: Double?
    /// The paper's figure.
    public var published: Double?
  }

  public var recipeFile: String { directory + "/recipe.json5" }
  public var resultsDirectory: String { directory + "/results" }

  /// Runs that it takes.
  public var runCount: Int { cells.reduce(0) { $0 + $1.grid.points.count * $1.seeds.count } }

  /// - Throws: `invalid-recipe`, naming file, line and key; `not-an-experiment`.
  public init(readingFrom directory: String) throws(SimulationError) {
    let file = directory + "/experiment.json5"
    guard let bytes = FileManager.default.contents(atPath: file) else {
      throw SimulationError(
        .notAnExperiment,
        "\(directory) has no experiment.json5; expected a directory of Simulations/.")
    }
    try self.init(parsing: bytes, file: file, directory: directory)
  }

  init(
    parsing bytes: some Collection<UInt8>, file: String, directory: String
  ) throws(SimulationError) {
    let root = try Recipe.field(parsing: bytes, file: file)
    let members = try root.members(allowing: ["title", "source", "cells", "claims"])
    self.directory = directory
    title = try members.required("title").string()
    source = try members.required("source").string()
    cells = try members.required("cells").entries().map { (name, field) throws(SimulationError) in
      try Self.cell(name, field)
    }
    let names = cells.map(\.name)
    claims = try members.required("claims").elements().map { field throws(SimulationError) in
      try Self.claim(field, cells: names)
    }
  }

  private static func cell(_ name: String, _ field: RecipeField) throws(SimulationError) -> Cell {
    guard Recipe.isName(name) else {
      throw field.failure("\"\(name.prefix(40))\"", expected: Recipe.nameExpectation)
    }
    let cell = try field.members(allowing: ["set", "grid", "seeds"])
    let seeds = try cell.optional("seeds")?.filledElements("a seed or more")
    return Cell(
      name: name,
      overrides: try cell.optional("set")?.entries().map { (key, value) in
        "\(key)=\(value.node.source)"
      } ?? [],
      grid: SweepGrid(
        try cell.optional("grid")?.entries().map { (key, values) throws(SimulationError) in
          let values = try values.filledElements("a value or more")
          return SweepGrid.Axis(key: key, values: values.map(\.node.source))
        } ?? []),
      seeds: try seeds?.map { seed throws(SimulationError) in
        try seed.integer(as: UInt64.self)
      } ?? [1])
  }

  private static func claim(
    _ field: RecipeField, cells names: [String]
  ) throws(SimulationError) -> Claim {
    let claim = try field.members(
      allowing: ["cell", "metric", "over", "atMost", "atLeast", "published"])
    let metrics = RunMetric.allCases.map(\.rawValue)
    let metricField = try claim.required("metric")
    guard let metric = RunMetric(rawValue: try metricField.string()) else {
      throw metricField.failure(
        metricField.node.description, expected: RecipeField.list(metrics, "or"))
    }
    for key in ["cell", "over"] {
      guard let cell = claim.optional(key) else { continue }
      guard names.contains(try cell.string()) else {
        throw cell.failure(cell.node.description, expected: RecipeField.list(names, "or"))
      }
    }
    let result = Claim(
      cell: try claim.required("cell").string(), metric: metric,
      over: try claim.optional("over")?.string(),
      atMost: try claim.optional("atMost")?.number(),
      atLeast: try claim.optional("atLeast")?.number(),
      published: try claim.optional("published")?.number())
    guard result.atMost != nil || result.atLeast != nil else {
      throw field.failure(
        field.node.description, expected: "atMost or atLeast in it: a claim that can fail")
    }
    return result
  }
}
