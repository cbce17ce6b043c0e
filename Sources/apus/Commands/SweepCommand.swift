// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusSimulation

/// `apus sweep`: runs of a grid.
struct SweepCommand: Command {
  private static let grid = Option(
    "grid", .text, "KEY=A,B,…", "Values that a key takes; several keys give all combinations.",
    isRepeatable: true)
  private static let seeds = Option(
    "seeds", .text, "N", "Runs of every combination, with the seeds from the recipe's on; 1.")

  static let grammar = Grammar(
    name: "sweep",
    summary: "Train one recipe with all combinations of some values.",
    details: """
      Prints a row a combination: the final accuracy and the rounds to stop.accuracy, each as the \
      mean over the seeds ± the standard deviation.
      """,
    arguments: [RunGrammar.recipe],
    options: [
      grid, seeds, RunGrammar.set, RunGrammar.threads, RunGrammar.instructionSet,
      RunGrammar.outOfSeveral, RunGrammar.dataDirectory,
    ],
    examples: ["apus sweep recipe.json5 --grid algorithm.fedavg.learningRate=0.05,0.1 --seeds 3"])

  private let recipeFile: String
  private let grid: [(key: String, values: [String])]
  private let seedCount: Int
  private let overrides: [String]
  private let options: RunOptions

  init(_ words: Words) throws(UsageError) {
    recipeFile = words.argument() ?? ""
    options = try RunGrammar.options(from: words)
    seedCount = try words.integer(Self.seeds, in: 1...10_000) ?? 1
    overrides = RunGrammar.overrides(from: words)
    var grid: [(key: String, values: [String])] = []
    for text in words.values(Self.grid) {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let values = parts.count == 2 ? Self.split(parts[1]) : []
      guard !values.isEmpty, values.allSatisfy({ !$0.isEmpty }), !parts[0].isEmpty else {
        throw words.failure("--grid \(text), expected KEY=A,B,…")
      }
      if grid.contains(where: { $0.key == parts[0] }) {
        throw words.failure("--grid \(parts[0]) is given twice")
      }
      grid.append((String(parts[0]), values))
    }
    self.grid = grid
    if grid.isEmpty, seedCount == 1 {
      throw words.failure("nothing to vary, expected --grid KEY=A,B,… or --seeds N")
    }
  }

  /// The parts between commas that are in no bracket and no quotes.
  static func split(_ text: some StringProtocol) -> [String] {
    var parts = [""]
    var depth = 0
    var quote: Character?
    for letter in text {
      if let open = quote {
        if letter == open { quote = nil }
      } else if letter == ",", depth == 0 {
        parts.append("")
        continue
      } else if letter == "\"" || letter == "'" {
        quote = letter
      } else {
        depth += letter == "{" || letter == "[" ? 1 : letter == "}" || letter == "]" ? -1 : 0
      }
      parts[parts.count - 1].append(letter)
    }
    return parts
  }

  func run(on console: Console) throws -> ExitCode {
    Interruption.watch()
    let recipe = try Recipe(contentsOf: recipeFile, setting: overrides)
    var options = options
    options.environment = console.environment
    let sweep = Sweep(
      recipeFile: recipeFile, overrides: overrides,
      grid: SweepGrid(grid.map { SweepGrid.Axis(key: $0.key, values: $0.values) }),
      seeds: (0..<UInt64(seedCount)).map { recipe.seed &+ $0 },
      directory: options.outputDirectory ?? "runs/\(recipe.name)-sweep")
    let progress = SweepProgress(runCount: sweep.grid.points.count * seedCount, on: console)
    defer { progress.finish() }
    let rows = try sweep.run(
      options: options, stopRequested: { Interruption.isRequested }, onEvent: progress.show)
    progress.finish()
    guard let rows else {
      console.complain("stopped; the same command goes on from here")
      return .interrupted
    }
    if console.format == .text {
      print(rows, on: console)
    } else {
      try console.print(jsonRows: rows)
    }
    return rows.flatMap(\.summaries).contains { $0.outcome == .diverged } ? .failed : .done
  }

  private func print(_ rows: [SweepRow], on console: Console) {
    let columns = grid.map { Table.Column(title: $0.key, side: .left) }
    let cells = rows.map { row in
      row.settings.values.map(\.value) + [
        "\(row.summaries.count)", Self.text(row.statistic(.finalAccuracy)) { Cell.percent($0) },
        Self.text(row.statistic(.roundsToTarget)) { Cell.fixed($0, digits: 1) },
      ]
    }
    Table.print(
      columns + [.init(title: "runs"), .init(title: "accuracy"), .init(title: "rounds to target")],
      cells, on: console)
  }

  private static func text(_ statistic: Statistic?, _ number: (Double) -> String) -> String {
    statistic.map { "\(number($0.mean)) ± \(number($0.standardDeviation))" } ?? "–"
  }
}
