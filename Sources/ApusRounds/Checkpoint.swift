// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusAlgorithms
public import ApusNumerics

/// What a server needs to go on after the last committed round, as it was, to the bit.
///
/// It is one file, a safetensors file with the model, the algorithm's state and metadata, so that other
/// tools can read it too. A digest over all of it tells a damaged file from a sound one.
public struct Checkpoint: Sendable {
  /// How many rounds were committed.
  public var round: Int
  /// Names the recipe that this belongs to.
  public var recipeDigest: String
  public var seed: UInt64
  public var model: ParameterVector
  /// The vectors of the algorithm's server state.
  public var state: [ParameterVector]
  /// What the host wants to find again, for example the best accuracy so far.
  public var notes: [String: String]
  /// What messages call it.
  private(set) var source = "The checkpoint"

  /// - Parameters:
  ///   - server: between two rounds.
  ///   - recipeDigest: names the recipe.
  ///   - seed: of the run.
  ///   - notes: the host's own.
  public init(
    of server: Server<some VectorState>, recipeDigest: String, seed: UInt64,
    notes: [String: String] = [:]
  ) {
    round = server.round
    self.recipeDigest = recipeDigest
    self.seed = seed
    model = server.model
    state = server.state.vectors
    self.notes = notes
  }

  /// Whether it belongs to a run.
  ///
  /// - Parameters:
  ///   - recipeDigest: names the run's recipe.
  ///   - seed: of the run.
  /// - Throws: ``RoundError/Code/foreignCheckpoint`` where it does not.
  public func checkBelongs(toRecipe recipeDigest: String, seed: UInt64) throws(RoundError) {
    guard self.recipeDigest == recipeDigest else {
      throw RoundError(
        .foreignCheckpoint,
        "\(source) belongs to the recipe \(self.recipeDigest.prefix(12)); expected "
          + "\(recipeDigest.prefix(12)). Go on with the recipe that it began with, or begin in "
          + "another directory.")
    }
    guard self.seed == seed else {
      throw RoundError(
        .foreignCheckpoint,
        "\(source) belongs to a run with seed \(self.seed); expected \(seed). Go on with that seed, "
          + "or begin in another directory.")
    }
  }

  /// The server as it was.
  ///
  /// - Parameter fresh: a server that has not run, of the same model and algorithm.
  /// - Returns: a server between two rounds.
  /// - Throws: ``RoundError/Code/foreignCheckpoint`` where model or state are of other lengths.
  public func server<State>(like fresh: Server<State>) throws(RoundError) -> Server<State>
  where State: VectorState {
    guard model.count == fresh.model.count else {
      throw RoundError(
        .foreignCheckpoint,
        "\(source) has a model of \(model.count) parameters; expected \(fresh.model.count). Go on "
          + "with the model that it began with, or begin in another directory.")
    }
    let (lengths, expected) = (state.map(\.count), fresh.state.vectors.map(\.count))
    guard lengths == expected else {
      throw RoundError(
        .foreignCheckpoint,
        "\(source) has the state of another algorithm, vectors of \(lengths) numbers; expected "
          + "\(expected). Go on with the algorithm that it began with, or begin in another "
          + "directory.")
    }
    return Server(model: model, state: State(vectors: state), round: round)
  }
}

// MARK: The file

extension Checkpoint {
  private static let format = "apus-checkpoint"
  private static let version = "1"

  /// Writes it as one file, which appears whole or not at all.
  ///
  /// - Parameter path: of the file.
  /// - Throws: ``RoundError/Code/inputOutput``, with what the system said.
  public func write(to path: String) throws(RoundError) {
    var layout = ParameterLayout()
    layout.append("model", [model.count])
    for (i, vector) in state.enumerated() { layout.append("state.\(i)", [vector.count]) }
    var metadata = [
      "format": Self.format, "version": Self.version, "round": String(round),
      "recipe": recipeDigest, "seed": String(seed),
    ]
    for (key, value) in notes { metadata["note.\(key)"] = value }
    metadata["digest"] = Self.digest(of: metadata, [model] + state)
    do {
      let numbers = state.isEmpty ? model : ParameterVector(joining: [model] + state)
      try Safetensors.write(numbers, layout: layout, metadata: metadata, to: path)
    } catch {
      throw RoundError(
        .inputOutput,
        "The checkpoint after round \(round) was not written; the one before it is kept. "
          + error.message, cause: error)
    }
  }

  /// Reads a file.
  ///
  /// - Parameter path: of the file.
  /// - Throws: ``RoundError``: `input-output` where the system cannot read it, `damaged-checkpoint` where
  ///   it is not a checkpoint or not whole, `unknown-version` where another version of Apus wrote it.
  public init(contentsOf path: String) throws(RoundError) {
    let file = try Self.reading(path) { () throws(NumericsError) in
      try Safetensors(contentsOf: path)
    }
    let metadata = file.metadata
    guard metadata["format"] == Self.format, let version = metadata["version"] else {
      throw Self.damaged(path, "It is not marked as a checkpoint.")
    }
    guard version == Self.version else {
      throw RoundError(
        .unknownVersion,
        "\(path) was written in version \(version) of the checkpoint format; expected "
          + "\(Self.version). Go on with the version of Apus that began it, or begin anew.")
    }
    let vectors = try Self.reading(path) { () throws(NumericsError) in
      // The model is asked for even where there is nothing.
      try (0..<max(file.tensors.count, 1)).map { i throws(NumericsError) in
        try file.values(of: i == 0 ? "model" : "state.\(i - 1)")
      }
    }
    guard metadata["digest"] == Self.digest(of: metadata, vectors) else {
      throw Self.damaged(path, "Its contents do not have the digest that it was written with.")
    }
    guard let round = metadata["round"].flatMap(Int.init), round >= 0,
      let seed = metadata["seed"].flatMap(UInt64.init), let recipe = metadata["recipe"]
    else { throw Self.damaged(path, "Its metadata lack round, seed or recipe.") }

    self.round = round
    recipeDigest = recipe
    self.seed = seed
    model = vectors[0]
    state = Array(vectors.dropFirst())
    notes = [:]
    for (key, value) in metadata where key.hasPrefix("note.") {
      notes[String(key.dropFirst(5))] = value
    }
    source = path
  }

  /// Calls `body`, and says in this module's words what went wrong with the file.
  private static func reading<Value>(
    _ path: String, _ body: () throws(NumericsError) -> Value
  ) throws(RoundError) -> Value {
    do {
      return try body()
    } catch {
      if error.code == .fileSystem { throw RoundError(.inputOutput, error.message, cause: error) }
      throw damaged(path, error.message, cause: error)
    }
  }

  /// SHA-256 of all metadata but the digest, sorted, and of the vectors' own digests.
  private static func digest(
    of metadata: [String: String], _ vectors: [ParameterVector]
  ) -> String {
    var text = ""
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where key != "digest" {
      // Lengths, so that no two different pairs give the same text.
      text += "\(key.utf8.count) \(key) \(value.utf8.count) \(value)\n"
    }
    for vector in vectors { text += "\(vector.count) \(vector.digest)\n" }
    return Array(text.utf8).withUnsafeBytes { SHA256.hexDigest(of: $0) }
  }

  private static func damaged(
    _ path: String, _ problem: String, cause: (any Error)? = nil
  ) -> RoundError {
    RoundError(
      .damagedCheckpoint,
      "\(path) is not a sound checkpoint. \(problem) Remove it to go on from the one before it, or "
        + "begin anew.", cause: cause)
  }
}
