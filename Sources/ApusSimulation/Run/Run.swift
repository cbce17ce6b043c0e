// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusNumerics
public import ApusTraining
internal import ApusData
internal import ApusRounds
internal import Foundation

/// One run of a recipe, in a directory that is enough to repeat, resume, plot and publish it.
///
/// Runs of different instruction sets take turns within a process, never at once.
///
/// ```swift
/// let run = try Run(of: recipe, recipeFile: "recipe.json5", options: options)
/// let summary = try run.run(stopRequested: { false }, onRound: { print($0) })
/// ```
public final class Run {
  public let recipe: Recipe
  public let clientCount: Int
  public let cohortSize: Int
  public let parameterCount: Int
  /// The round that was resumed from; 0 for a new run.
  public private(set) var startRound = 0
  public let threadCount: Int

  let options: RunOptions
  let preparation: Preparation
  let files: RunDirectory
  let isResumed: Bool

  /// The run directory.
  public var directory: String { files.path }
  /// The page with the charts, once the run has ended.
  public var reportFile: String { files.reportFile }

  /// Prepares a new run: everything is checked and loaded before anything is written.
  ///
  /// - Parameters:
  ///   - recipe: what to run.
  ///   - recipeFile: where it was read; files that it names are relative to it.
  ///   - options: threads, places, logging.
  /// - Throws: ``SimulationError`` for data that is missing or does not fit, or a directory that cannot
  ///   be written.
  public convenience init(
    of recipe: Recipe, recipeFile: String, options: RunOptions
  ) throws(SimulationError) {
    let instructionSet = try Self.instructionSet(of: recipe)
    let directory = recipeFile.lastIndex(of: "/").map { String(recipeFile[..<$0]) } ?? "."
    let preparation = try Preparation(recipe, directory: directory, options: options)
    let files = try RunDirectory.create(
      at: options.outputDirectory, name: recipe.name, seed: recipe.seed)
    var resolved = recipe
    resolved.instructionSet = instructionSet
    if case .graph = recipe.model {
      try files.writeJSON(preparation.graph, to: files.graphFile)
      resolved.model = .graph(file: "graph.json")
    }
    let digests = preparation.dataDigests.sorted { $0.key < $1.key }
    try RunDirectory.write(
      resolved.encoded(
        under: ["Apus \(ApusVersion.current)"] + digests.map { "\($0.key) sha256 \($0.value)" }),
      to: files.recipeFile)
    try self.init(resolved, preparation, files, options, isResumed: false)
  }

  /// Prepares to go on with a run that was stopped, by whatever.
  ///
  /// - Parameters:
  ///   - directory: of the run.
  ///   - options: threads and where data is; the output directory is the run's own.
  /// - Throws: ``SimulationError``, for a directory that is not a run's or that another process works in.
  public convenience init(
    resuming directory: String, options: RunOptions
  ) throws(SimulationError) {
    let files = try RunDirectory(resuming: directory)
    let recipe = try Recipe(contentsOf: files.recipeFile)
    _ = try Self.instructionSet(of: recipe)
    let preparation = try Preparation(recipe, directory: directory, options: options)
    try self.init(recipe, preparation, files, options, isResumed: true)
  }

  private init(
    _ recipe: Recipe, _ preparation: Preparation, _ files: RunDirectory, _ options: RunOptions,
    isResumed: Bool
  ) throws(SimulationError) {
    self.recipe = recipe
    self.preparation = preparation
    self.files = files
    self.options = options
    self.isResumed = isResumed
    clientCount = preparation.data.clientCount
    cohortSize = preparation.cohortSize
    parameterCount = preparation.graph.layout.count
    threadCount = max(options.threads ?? ProcessInfo.processInfo.activeProcessorCount, 1)
  }

  /// The set that a recipe asks for, or the best one.
  ///
  /// - Throws: `instruction-set`, where this machine has not got it.
  private static func instructionSet(of recipe: Recipe) throws(SimulationError) -> InstructionSet {
    let set = recipe.instructionSet ?? InstructionSet.best
    guard InstructionSet.available.contains(set) else {
      let available = InstructionSet.available.map(\.rawValue).joined(separator: ", ")
      throw SimulationError(
        .instructionSet,
        "recipe \(recipe.name): instructionSet: this processor has no \(set.rawValue); it has "
          + "\(available). With another one, or with \(Recipe.bestInstructionSet), the last bits of the "
          + "model are others; portable gives the same bytes on every machine.")
    }
    return set
  }

  /// Makes the process compute with the run's instruction set: before every use of the run, for another
  /// run may have come in between.
  private func useInstructionSet() throws(SimulationError) {
    do {
      try recipe.instructionSet?.use()
    } catch {
      throw SimulationError(.instructionSet, error.message, cause: error)
    }
  }

  /// Whether this is what a recipe asks for; the place of a graph's file aside, and the instruction set
  /// where it asks for none.
  func isRun(of other: Recipe) -> Bool {
    var other = other
    if other.instructionSet == nil { other.instructionSet = recipe.instructionSet }
    if case .graph = recipe.model, case .graph = other.model { other.model = recipe.model }
    return recipe == other
  }

  /// Runs the rounds that are left.
  ///
  /// - Parameters:
  ///   - stopRequested: asked often, from any thread; when it says yes, the round under way is given up,
  ///     a checkpoint is written, and the run can be resumed to the same bytes.
  ///   - onRound: told of every round as it is committed, and of the untrained model as round 0.
  /// - Returns: how it ended.
  /// - Throws: ``SimulationError``; what was committed before is kept.
  public func run(
    stopRequested: @Sendable () -> Bool, onRound: (RoundRecord) -> Void
  ) throws(SimulationError) -> RunSummary {
    switch recipe.algorithm {
    case .fedAvg(let fedAvg): try session(of: fedAvg).run(stopRequested, onRound)
    case .fedProx(let fedProx): try session(of: fedProx).run(stopRequested, onRound)
    case .fedSGD(let fedSGD): try session(of: fedSGD).run(stopRequested, onRound)
    }
  }

  /// Where the time of a client's training step goes, on the examples of the first client.
  ///
  /// - Throws: `model-mismatch`, where the model cannot be planned; `instruction-set`.
  public func profile() throws(SimulationError) -> ProgramProfile {
    try useInstructionSet()
    let examples = preparation.data.client(0).train
    let setup = try SimulationSetup(self)
    let trainer = setup.workers[0].trainer
    return trainer.profile(
      at: trainer.initialParameters(seed: recipe.seed), on: examples,
      batchSize: trainer.batchSize)
  }

  private func session<Algorithm: FederatedAlgorithm>(
    of algorithm: Algorithm
  ) throws(SimulationError) -> RunSession<Algorithm> {
    try useInstructionSet()
    let session = try RunSession(algorithm, of: self)
    startRound = session.simulation.server.round
    return session
  }
}
