// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusSimulation

/// `apus simulate`: one run.
struct Simulate: Command {
  private static let seed = Option(
    "seed", .text, "N", "The seed of the run, in the place of the recipe's.")
  private static let logClients = Option(
    flag: "log-clients", "Write every client's part in every round to clients.jsonl.")
  private static let checkpointEvery = Option(
    "checkpoint-every", .text, "N",
    "Seconds between checkpoints, 10 if not said; 0 for one after every round.")
  private static let profile = Option(
    flag: "profile",
    "First tell where the time of a training step goes, kernel by kernel, on standard error.")
  private static let resume = Option(
    "resume", .directory, "DIR",
    "Go on with the run in DIR, to the same bytes as if it had never stopped.")

  static let grammar = Grammar(
    name: "simulate",
    summary: "Train one recipe on this machine.",
    details: """
      The run gets a directory of its own, runs/NAME-seedN: the recipe as it was understood, \
      metrics.jsonl with a line a round, summary.json, model.safetensors, a checkpoint and \
      report.html.
      Ctrl-C stops once what is being done is safe; --resume goes on from there. The same recipe \
      and seed give the same bytes on one kind of processor, whatever the number of threads, and with \
      --instruction-set portable on every processor.
      """,
    arguments: [
      Argument("RECIPE", .file, .optional, "A recipe: a JSON5 file. Not with --resume.")
    ],
    options: [
      seed, RunGrammar.set, RunGrammar.threads, RunGrammar.instructionSet, RunGrammar.out,
      RunGrammar.dataDirectory, logClients, checkpointEvery, profile, resume,
    ],
    examples: [
      "apus simulate recipe.json5",
      "apus simulate recipe.json5 --seed 2 --set cohort.fraction=0.2",
      "apus simulate --resume runs/recipe-seed2",
    ])

  private enum Source {
    case recipe(String, overrides: [String])
    case directory(String)
  }

  private let source: Source
  private let options: RunOptions
  private let profiles: Bool

  init(_ words: Words) throws(UsageError) {
    var options = try RunGrammar.options(from: words)
    options.logsClients = words.contains(Self.logClients)
    if let seconds = try words.integer(Self.checkpointEvery, in: 0...86_400) {
      options.checkpointInterval = Double(seconds)
    }
    self.options = options
    profiles = words.contains(Self.profile)
    let seed = try words.integer(Self.seed, in: UInt64.min...UInt64.max)
    if let directory = words.value(Self.resume) {
      if let recipe = words.argument() {
        throw words.failure("--resume and the recipe \(recipe), expected one of the two")
      }
      let fixed = [Self.seed, RunGrammar.set, RunGrammar.instructionSet, RunGrammar.out]
      for option in fixed where words.contains(option) {
        throw words.failure("--\(option.name) with --resume: a run goes on as it began")
      }
      source = .directory(directory)
    } else if let recipe = words.argument() {
      let seeds = seed.map { ["seed=\($0)"] } ?? []
      source = .recipe(recipe, overrides: RunGrammar.overrides(from: words) + seeds)
    } else {
      throw words.failure("RECIPE is missing, expected a recipe or --resume DIR")
    }
  }

  func run(on console: Console) throws -> ExitCode {
    Interruption.watch()
    let progress = ProgressLine("Reading recipe and data", on: console)
    defer { progress.finish() }
    let run = try makeRun(console.environment)
    progress.note(
      "\(run.recipe.name): \(Cell.count(run.parameterCount)) parameters, "
        + "\(Cell.count(run.cohortSize)) of \(Cell.count(run.clientCount)) clients a round, "
        + "\(Cell.count(run.recipe.rounds)) rounds, seed \(run.recipe.seed)")
    if profiles {
      progress.update("Timing training steps")
      for line in ProfileTable.lines(try run.profile()) { progress.note(line) }
    }
    progress.update("Starting")
    let table = LiveTable(rounds: run.recipe.rounds, progress: progress, console: console)
    let summary = try run.run(
      stopRequested: { Interruption.isRequested }, onRound: { table.show($0) })
    progress.finish()
    return try SimulationResult(summary: summary, directory: run.directory).print(on: console)
  }

  private func makeRun(_ environment: [String: String]) throws -> Run {
    var options = options
    options.environment = environment
    switch source {
    case .directory(let directory): return try Run(resuming: directory, options: options)
    case .recipe(let file, let overrides):
      let recipe = try Recipe(contentsOf: file, setting: overrides)
      return try Run(of: recipe, recipeFile: file, options: options)
    }
  }
}
