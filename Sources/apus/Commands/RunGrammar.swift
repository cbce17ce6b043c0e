// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusNumerics
internal import ApusSimulation

/// What all commands that train take.
enum RunGrammar {
  static let recipe = Argument("RECIPE", .file, .one, "A recipe: a JSON5 file.")
  static let set = Option(
    "set", .text, "KEY=VALUE",
    "Put a value in the place of the recipe's, for example algorithm.fedavg.learningRate=0.05.",
    isRepeatable: true)
  static let threads = Option(
    "threads", .text, "N", "Worker threads; one a core if not said. The result is the same.")
  static let instructionSet = Option(
    "instruction-set", .choice(["auto"] + InstructionSet.allCases.map(\.rawValue)), "SET",
    "What the kernels are compiled for: the best that the machine has if not said, as auto; portable, "
      + "whose results are the same bytes everywhere; baseline; avx2; avx512.")
  static let out = Option(
    "out", .directory, "DIR", "The run's directory, new or empty; runs/NAME-seedN if not said.")
  static let outOfSeveral = Option(
    "out", .directory, "DIR",
    "Where the runs' directories are made; runs that are there already are gone on with.")
  static let dataDirectory = Option(
    "data-dir", .directory, "DIR",
    "Look for data sets in DIR first, then in $APUS_DATA, ~/.cache/apus/data and the system's.")

  /// The recipe's values that the words put others in the place of.
  static func overrides(from words: Words) -> [String] {
    words.values(set) + words.values(instructionSet).map { "instructionSet=\"\($0)\"" }
  }

  static func options(from words: Words) throws(UsageError) -> RunOptions {
    RunOptions(
      threads: try words.integer(threads, in: 1...1024),
      outputDirectory: words.value(out),
      dataDirectory: words.value(dataDirectory))
  }
}
