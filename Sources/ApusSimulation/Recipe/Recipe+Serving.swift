// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusData

extension Recipe {
  /// What only matters where the clients are devices; a simulation does not look at it.
  public struct ServingChoice: Hashable, Sendable {
    /// How an update's numbers travel; all but `float32` round them.
    public enum UpdateFormat: String, Hashable, Sendable, CaseIterable {
      case float32, bfloat16, float16
    }

    /// What becomes of an update that comes after its round's deadline.
    public enum LatePolicy: String, Hashable, Sendable, CaseIterable {
      /// It is not needed.
      case discard
      /// It is counted as long as the quorum is missed, for one more deadline.
      case extend
    }

    /// Invited per device wanted, at least 1; nil for `system.overSelection` where that is above 1, else
    /// for 1.3.
    public var overSelection: Double?
    /// A round waits for so many devices, and no model of fewer is published; nil for 1.
    public var minimumCohort: Int?
    /// Seconds that devices have for a round.
    public var reportTimeout = 600.0
    /// Rounds that one device may be counted in; nil for all.
    public var participationLimit: Int?
    /// Rounds that a device sits out after one that counted it.
    public var restRounds = 0
    /// Rounds abandoned in a row after which the task fails.
    public var abandonmentLimit = 10
    public var late = LatePolicy.discard
    /// Only devices with all of these labels.
    public var labels: [String: String] = [:]
    /// Updates of a greater Euclidean norm are refused; nil for no bound.
    public var normBound: Double?
    public var updateFormat = UpdateFormat.float32
    /// Whether updates are packed with zstd for the way.
    public var packed = false

    public init() {}
  }

  static func readServing(_ field: RecipeField?) throws(SimulationError) -> ServingChoice? {
    let keys = [
      "overSelection", "minimumCohort", "reportTimeout", "participationLimit", "restRounds",
      "abandonmentLimit", "late", "labels", "normBound", "updateFormat", "packed",
    ]
    guard let serve = try field?.members(allowing: keys) else { return nil }
    var choice = ServingChoice()
    choice.overSelection = try serve.optional("overSelection")?.number()
    choice.minimumCohort = try serve.optional("minimumCohort")?.integer()
    if let seconds = serve.optional("reportTimeout") { choice.reportTimeout = try seconds.number() }
    choice.participationLimit = try serve.optional("participationLimit")?.integer()
    if let rounds = serve.optional("restRounds") { choice.restRounds = try rounds.integer() }
    if let rounds = serve.optional("abandonmentLimit") {
      choice.abandonmentLimit = try rounds.integer()
    }
    if let late = serve.optional("late") { choice.late = try late.choice() }
    choice.labels = try serve.optional("labels")?.texts() ?? [:]
    choice.normBound = try serve.optional("normBound")?.number()
    if let format = serve.optional("updateFormat") { choice.updateFormat = try format.choice() }
    if let packed = serve.optional("packed") { choice.packed = try packed.boolean() }
    return choice
  }

  func checkServing() throws(Problem) {
    guard let serve else { return }
    let whole = "a whole number, 1 or more"
    if let factor = serve.overSelection {
      try require(factor, in: 1...100, "serve.overSelection", "1 to 100")
    }
    if let minimum = serve.minimumCohort {
      try require(minimum, in: 1...Self.mostClients, "serve.minimumCohort", whole)
      if case .size(let size) = cohort {
        try require(
          minimum <= size, "serve.minimumCohort", "\(minimum)",
          "at most the \(size) of cohort.size")
      }
    }
    try require(serve.reportTimeout, in: 1...604_800, "serve.reportTimeout", "1 to 604800 seconds")
    if let limit = serve.participationLimit {
      try require(limit, in: 1...Self.mostClients, "serve.participationLimit", whole)
    }
    try require(serve.restRounds, in: 0...Self.mostClients, "serve.restRounds", "0 or more")
    try require(serve.abandonmentLimit, in: 1...Self.mostClients, "serve.abandonmentLimit", whole)
    try require(serve.labels.count <= 16, "serve.labels", "\(serve.labels.count)", "at most 16")
    for (key, value) in serve.labels {
      try require(
        !key.isEmpty && key.utf8.count <= 100 && value.utf8.count <= 100,
        "serve.labels", "\"\(key.prefix(40))\"", "keys and values of at most 100 bytes")
    }
    if let bound = serve.normBound { try require(bound, above: 0, "serve.normBound") }
  }
}

extension RecipeField {
  /// One of the words of a type.
  fileprivate func choice<Choice: RawRepresentable & CaseIterable>() throws(SimulationError)
    -> Choice where Choice.RawValue == String
  {
    let names = Choice.allCases.map(\.rawValue)
    let word = try string()
    guard let choice = Choice(rawValue: word) else {
      throw failure(
        node.description,
        expected: Self.list(names.map { "\"\($0)\"" }, "or") + Self.suggestion(for: word, in: names)
      )
    }
    return choice
  }

  /// An object of texts under any keys.
  fileprivate func texts() throws(SimulationError) -> [String: String] {
    guard case .object(let members) = node.value else {
      throw failure(node.description, expected: "an object of texts, as { site: \"north\" }")
    }
    var texts: [String: String] = [:]
    for member in members {
      let field = RecipeField(node: member.node, path: path + [member.key], file: file)
      texts[member.key] = try field.string()
    }
    return texts
  }
}
