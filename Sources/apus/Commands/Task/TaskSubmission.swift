// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusSimulation
internal import ApusWire

/// A recipe on its way to an aggregator.
struct TaskSubmission {
  static let name = Option(
    "name", .text, "NAME", "What the task is called, in the place of the recipe's name.")
  static let seed = Option(
    "seed", .text, "N", "The seed of the task, in the place of the recipe's.")
  static let submitToken = Option(
    "submit-token", .text, "TOKEN",
    "Submitting twice with one token gives one task: for scripts that may be run again.")
  static let dataDirectory = RunGrammar.dataDirectory
  static let options = [
    name, seed, RunGrammar.set, submitToken, dataDirectory, HubAccess.option,
  ]

  private let recipeFile: String
  private let overrides: [String]
  private let name: String?
  private let submitToken: String
  private let dataDirectory: String?

  init(_ words: Words) throws(UsageError) {
    recipeFile = words.argument() ?? ""
    let seed = try words.integer(Self.seed, in: UInt64.min...UInt64.max)
    overrides = words.values(RunGrammar.set) + (seed.map { ["seed=\($0)"] } ?? [])
    name = words.value(Self.name)
    dataDirectory = words.value(Self.dataDirectory)
    if let token = words.value(Self.submitToken) {
      guard (1...100).contains(token.utf8.count) else {
        throw words.failure("--submit-token, expected 1 to 100 bytes")
      }
      submitToken = token
    } else {
      // Of our own, so that a call that is made again is not a second task.
      submitToken = String(UInt64.random(in: .min ... .max), radix: 16)
    }
  }

  /// Reads the recipe and its data, before anybody is asked.
  func prepared(on console: Console) throws -> RecipeTask {
    let recipe = try Recipe(contentsOf: recipeFile, setting: overrides)
    var task = try recipe.task(
      recipeFile: recipeFile,
      options: RunOptions(dataDirectory: dataDirectory, environment: console.environment))
    if let name { task.spec.name = name }
    return task
  }

  /// Uploads what models are measured on, and asks for the task.
  nonisolated(nonsending) func submit(
    _ task: RecipeTask, start: Bool, to client: CoordinatorClient, progress: ProgressLine
  ) async throws -> Proto.TaskInfo {
    var spec = task.spec
    if let examples = task.examples {
      let size = Cell.bytes(UInt64(examples.count))
      let digest = try await client.upload(examples) { done in
        progress.update("Uploading examples to measure on: \(Cell.bytes(done)) of \(size)")
      }
      spec.evaluation?.examples = digest.bytes
    }
    progress.update("Creating the task")
    return try await client.createTask(spec, submitToken: submitToken, start: start)
  }
}
