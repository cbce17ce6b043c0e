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

  /// Writes the state after a committed round; the checkpoint before it is kept until this one is safe.
  static func write(
    _ server: Server<some VectorState>, seconds: Double, of run: Run
  ) throws(SimulationError) {
    let checkpoint = Checkpoint(
      of: server, recipeDigest: run.recipe.digest, seed: run.recipe.seed,
      notes: [secondsNote: "\(seconds)", dataNote: run.preparation.dataDigest])
    do {
      try CheckpointDirectory(run.files.checkpointDirectory).write(checkpoint)
    } catch {
      throw SimulationError(
        .outputUnwritable,
        "\(error.message) Make room, then go on: apus simulate --resume \(run.directory)",
        cause: error)
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
      try checkpoint.checkBelongs(toRecipe: run.recipe.digest, seed: run.recipe.seed)
      server = try checkpoint.server(like: server)
      guard checkpoint.notes[dataNote] == run.preparation.dataDigest else {
        throw SimulationError(
          .notARun,
          "\(run.directory) was made with other data files than those found now; their digests are in "
            + "its recipe.json5. Expected the same files: say where they are with --data-dir.")
      }
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
