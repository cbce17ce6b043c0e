// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusNumerics
internal import ApusTraining
internal import ApusRounds

/// A run's checkpoints: what a session needs to go on to the same bytes.
enum RunCheckpoint {
  /// What a checkpoint says besides the server.
  struct Restored {
    var round: Int
    /// Seconds of the sessions that led to it.
    var seconds: Double
  }

  private static let secondsNote = "seconds"
  private static let dataNote = "data"
  private static let graphNote = "graph"
  private static let versionNote = "version"

  /// Writes the state after a committed round; the checkpoint before it is kept until this one is safe.
  static func write(
    _ server: Server<some VectorState>, seconds: Double, of run: Run
  ) throws(SimulationError) {
    let checkpoint = Checkpoint(
      of: server, recipeDigest: run.recipe.digest, seed: run.recipe.seed,
      notes: [
        secondsNote: "\(seconds)", dataNote: run.preparation.dataDigest,
        graphNote: run.preparation.graphDigest, versionNote: ApusVersion.current,
      ])
    do {
      try CheckpointDirectory(run.files.checkpointDirectory).write(checkpoint)
    } catch {
      throw SimulationError(.outputUnwritable, error.message, cause: error)
    }
  }

  /// Puts a server back to the last checkpoint of a run that is resumed.
  ///
  /// - Parameters:
  ///   - server: as it is before the first round; it stays so where there is no checkpoint yet.
  ///   - run: whose directory is looked in.
  /// - Returns: nil where the run begins at the beginning.
  /// - Throws: `not-a-run`, where the checkpoint is of another recipe, data set or version.
  static func restore<State: VectorState>(
    _ server: inout Server<State>, of run: Run
  ) throws(SimulationError) -> Restored? {
    guard run.isResumed else { return nil }
    do {
      let directory = CheckpointDirectory(run.files.checkpointDirectory)
      guard let checkpoint = try directory.latest(passingOver: { run.files.note($0.message) })
      else { return nil }
      try check(checkpoint, isOf: run)
      server = try checkpoint.server(like: server)
      return Restored(
        round: checkpoint.round,
        seconds: checkpoint.notes[secondsNote].flatMap(Double.init) ?? 0)
    } catch let error as RoundError {
      throw SimulationError(.notARun, error.message, cause: error)
    } catch let error as SimulationError {
      throw error
    } catch {
      throw SimulationError(.notARun, "\(error)", cause: error)
    }
  }

  /// Whether going on from a checkpoint gives what an uninterrupted run gives.
  private static func check(_ checkpoint: Checkpoint, isOf run: Run) throws(SimulationError) {
    func require(_ holds: Bool, _ message: String) throws(SimulationError) {
      guard holds else { throw SimulationError(.notARun, message) }
    }
    let modelName =
      if case .named(let name) = run.recipe.model { "\(name)" } else { run.files.graphFile }
    // The version first: another one may write recipes and graphs differently.
    let version = checkpoint.notes[versionNote] ?? "an unknown version"
    try require(
      version == ApusVersion.current,
      "\(run.directory) was begun by Apus \(version), whose bytes may be others than those of this "
        + "Apus \(ApusVersion.current). Go on with Apus \(version), or begin anew in another directory."
    )
    try require(
      checkpoint.recipeDigest == run.recipe.digest && checkpoint.seed == run.recipe.seed,
      "\(run.files.recipeFile) is not the recipe that the run's checkpoint belongs to: it was changed "
        + "after the run began. Put it back as it was, or begin anew in another directory.")
    try require(
      checkpoint.notes[graphNote] == run.preparation.graphDigest,
      "\(modelName) is not the model that the run's checkpoint belongs to: it was changed "
        + "after the run began. Put it back as it was, or begin anew in another directory.")
    try require(
      checkpoint.notes[dataNote] == run.preparation.dataDigest,
      "\(run.directory) was made with other data files than those found now; their digests are in "
        + "its recipe.json5. Expected the same files: say where they are with --data-dir.")
  }

  /// Writes `model.safetensors`, the trained model with its names.
  static func export(_ model: ParameterVector, of run: Run) throws(SimulationError) {
    do {
      try Safetensors.write(
        model, layout: run.preparation.graph.layout,
        metadata: ["format": "apus-model", "recipe": run.recipe.digest, "digest": model.digest],
        to: run.files.modelFile)
    } catch {
      throw SimulationError(.outputUnwritable, error.message, cause: error)
    }
  }
}
