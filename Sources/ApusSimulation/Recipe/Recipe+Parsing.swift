// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusCatalog
internal import ApusData
internal import ApusNumerics

extension Recipe {
  /// Reads a recipe's text.
  ///
  /// - Parameters:
  ///   - bytes: JSON5 in UTF-8, at most 1 MB.
  ///   - file: the file's path, for messages and for the run's name where the recipe has none.
  ///   - overrides: `key.path=value` each, put in place before anything is read.
  /// - Throws: `invalid-recipe`, with `file:line: key path: what, expected what`.
  public init(parsing bytes: some Collection<UInt8>, file: String, setting overrides: [String] = [])
    throws(SimulationError)
  {
    var root = try Self.tree(of: bytes, file: file)
    for override in overrides { try root.apply(override) }
    self = try Self.read(RecipeField(node: root, path: [], file: file))
    if name.isEmpty { name = Self.name(ofFile: file) }
    do { try check() } catch {
      let path = error.path.split(separator: ".").map(String.init)
      throw RecipeField(node: root.nearest(on: path), path: path, file: file)
        .failure(error.what, expected: error.expected)
    }
  }

  /// The recipe's file may have so many bytes.
  static let largestFile = 1 << 20

  static func tree(of bytes: some Collection<UInt8>, file: String) throws(SimulationError)
    -> JSON5Node
  {
    guard bytes.count <= largestFile else {
      throw SimulationError(
        .invalidRecipe, "\(file): too long for a recipe, expected at most \(largestFile) bytes")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw SimulationError(.invalidRecipe, "\(file): not text in UTF-8, expected JSON5")
    }
    var parser = JSON5Parser(text)
    do { return try parser.parse() } catch {
      throw SimulationError(.invalidRecipe, "\(file):\(error.line): \(error.message)")
    }
  }

  /// `quickstart` for `quickstart.json5`, and for `quickstart/recipe.json5`.
  static func name(ofFile file: String) -> String {
    let parts = file.split(separator: "/").filter { $0 != "." && $0 != ".." }
    let base = parts.last.map { $0.split(separator: ".").first ?? $0 } ?? "run"
    let chosen = base == "recipe" && parts.count > 1 ? parts[parts.count - 2] : base
    let safe = chosen.unicodeScalars.map { isNameScalar($0) ? Character($0) : "-" }
    let name = String(safe.drop { !$0.isLetter && !$0.isNumber }.prefix(longestName))
    return name.isEmpty ? "run" : name
  }

  private static func read(_ field: RecipeField) throws(SimulationError) -> Recipe {
    let root = try field.members(allowing: [
      "name", "model", "data", "algorithm", "aggregation", "cohort", "rounds", "stop", "system",
      "privacy", "evaluate", "serve", "instructionSet", "seed",
    ])
    try readPrivacy(root.optional("privacy"))
    return Recipe(
      name: try root.optional("name")?.string() ?? "",
      model: try readModel(root.required("model")),
      data: try readData(root.required("data")),
      algorithm: try readAlgorithm(root.required("algorithm")),
      aggregation: try readAggregation(root.optional("aggregation")),
      cohort: try readCohort(root.required("cohort")),
      rounds: try root.required("rounds").integer(),
      stop: try readStop(root.optional("stop")),
      system: try readSystem(root.optional("system")),
      evaluate: try readEvaluation(root.optional("evaluate")),
      serve: try readServing(root.optional("serve")),
      instructionSet: try readInstructionSet(root.optional("instructionSet")),
      seed: try root.optional("seed")?.integer(as: UInt64.self) ?? 1)
  }

  private static func readModel(_ field: RecipeField) throws(SimulationError) -> ModelChoice {
    guard case .object = field.node.value else { return .named(try field.string()) }
    return .graph(file: try field.members(allowing: ["graph"]).required("graph").string())
  }

  private static func readData(_ field: RecipeField) throws(SimulationError) -> DataChoice {
    let data = try field.members(
      allowing: ["set", "split", "clients", "holdBack", "alpha", "beta"])
    let set = try data.required("set").string()
    // A computed set comes divided.
    let split: SplitRule =
      if isComputed(set), data.optional("split") == nil {
        .by("device")
      } else {
        try readSplit(data.required("split"))
      }
    return DataChoice(
      set: set, split: split,
      clients: try data.optional("clients")?.integer(),
      holdBack: try data.optional("holdBack")?.number() ?? 0,
      alpha: try data.optional("alpha")?.number(),
      beta: try data.optional("beta")?.number())
  }

  private static func readSplit(_ field: RecipeField) throws(SimulationError) -> SplitRule {
    if let by = field.node["by"], case .object(let members) = field.node.value, members.count == 1 {
      return .by(try RecipeField(node: by, path: field.path + ["by"], file: field.file).string())
    }
    let (kind, settings) = try field.kind(
      of: ["iid": true, "shards": false, "dirichlet": false, "quantity": false, "by": false])
    switch kind {
    case "shards":
      let shards = try settings.members(allowing: ["perClient"])
      return .shards(perClient: try shards.required("perClient").integer())
    case "dirichlet":
      let dirichlet = try settings.members(allowing: ["alpha", "minimum"])
      return .dirichlet(
        alpha: try dirichlet.required("alpha").number(),
        minimum: try dirichlet.optional("minimum")?.integer() ?? 1)
    case "quantity":
      return .quantity(alpha: try settings.members(allowing: ["alpha"]).required("alpha").number())
    default:
      _ = try settings.members(allowing: [])
      return .iid
    }
  }

  private static func readAggregation(_ field: RecipeField?) throws(SimulationError)
    -> AggregationChoice
  {
    guard let field else { return .weightedMean }
    let (kind, settings) = try field.kind(of: ["weighted-mean": true, "uniform-mean": true])
    _ = try settings.members(allowing: [])
    return AggregationChoice(rawValue: kind) ?? .weightedMean
  }

  private static func readCohort(_ field: RecipeField) throws(SimulationError) -> CohortChoice {
    let cohort = try field.members(allowing: ["fraction", "size"])
    switch (cohort.optional("fraction"), cohort.optional("size")) {
    case (let fraction?, nil): return .fraction(try fraction.number())
    case (nil, let size?): return .size(try size.integer())
    case (nil, nil): throw field.failure("an empty object", expected: "a fraction or a size")
    default: throw field.failure("a fraction and a size", expected: "one of the two")
    }
  }

  private static func readStop(_ field: RecipeField?) throws(SimulationError) -> StopChoice {
    guard let stop = try field?.members(allowing: ["accuracy", "patience"]) else { return .init() }
    return StopChoice(
      accuracy: try stop.optional("accuracy")?.number(),
      patience: try stop.optional("patience")?.integer())
  }

  private static func readSystem(_ field: RecipeField?) throws(SimulationError) -> SystemChoice {
    var choice = SystemChoice()
    let keys = ["dropOutRate", "stragglerFraction", "overSelection", "quorum"]
    guard let system = try field?.members(allowing: keys) else { return choice }
    if let rate = system.optional("dropOutRate") { choice.dropOutRate = try rate.number() }
    if let part = system.optional("stragglerFraction") {
      choice.stragglerFraction = try part.number()
    }
    if let factor = system.optional("overSelection") { choice.overSelection = try factor.number() }
    if let quorum = system.optional("quorum") { choice.quorum = try quorum.number() }
    return choice
  }

  private static func readEvaluation(_ field: RecipeField?) throws(SimulationError)
    -> EvaluationChoice
  {
    var choice = EvaluationChoice()
    guard let evaluate = try field?.members(allowing: ["every", "clients"]) else { return choice }
    if let every = evaluate.optional("every") { choice.every = try every.integer() }
    if let clients = evaluate.optional("clients") { choice.clients = try clients.integer() }
    return choice
  }

  /// In the place of a set's name: whichever is the best.
  static let bestInstructionSet = "auto"

  private static func readInstructionSet(
    _ field: RecipeField?
  ) throws(SimulationError) -> InstructionSet? {
    guard let field, case let name = try field.string(), name != bestInstructionSet else {
      return nil
    }
    guard let set = InstructionSet(rawValue: name) else {
      let names = [bestInstructionSet] + InstructionSet.allCases.map(\.rawValue)
      throw field.failure(
        field.node.description,
        expected: RecipeField.list(names.map { "\"\($0)\"" }, "or")
          + RecipeField.suggestion(for: name, in: names))
    }
    return set
  }

  private static func readPrivacy(_ field: RecipeField?) throws(SimulationError) {
    guard let field else { return }
    if case .string("none") = field.node.value { return }
    throw field.failure(
      field.node.description,
      expected: "\"none\"; other ways to protect updates come in a later version")
  }
}
