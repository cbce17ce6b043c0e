// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusSimulation
internal import Foundation

/// `apus reproduce`: an experiment again.
struct Reproduce: Command {
  private static let update = Option(
    flag: "update", "Put what comes out in the place of the committed results and figure.")

  static let grammar = Grammar(
    name: "reproduce",
    summary: "Run an experiment again and compare it with its committed result.",
    details: "Ends with 1 where a number is outside of what the experiment claims.",
    arguments: [
      Argument("DIR", .directory, .one, "An experiment's directory, as under Simulations/.")
    ],
    options: [
      update, RunGrammar.threads, RunGrammar.instructionSet, RunGrammar.outOfSeveral,
      RunGrammar.dataDirectory,
    ],
    examples: ["apus reproduce Simulations/fedavg-mnist-2nn"])

  private let directory: String
  private let updates: Bool
  private let overrides: [String]
  private let options: RunOptions

  init(_ words: Words) throws(UsageError) {
    directory = words.argument() ?? ""
    updates = words.contains(Self.update)
    overrides = RunGrammar.overrides(from: words)
    options = try RunGrammar.options(from: words)
  }

  func run(on console: Console) throws -> ExitCode {
    Interruption.watch()
    var options = options
    options.environment = console.environment
    var experiment = try Experiment(readingFrom: directory)
    for cell in experiment.cells.indices { experiment.cells[cell].overrides += overrides }
    let name = experiment.directory.split(separator: "/").last.map(String.init) ?? "experiment"
    let output = options.outputDirectory ?? "runs/reproduce-\(name)"
    if FileManager.default.fileExists(atPath: output) {
      console.note(
        "goes on with the runs that are in \(output); remove it to run all of them again")
    }
    let progress = SweepProgress(runCount: experiment.runCount, on: console)
    defer { progress.finish() }
    let reproduction = try Reproduction.run(
      experiment, output: output, options: options,
      stopRequested: { Interruption.isRequested }, onEvent: { _, event in progress.show(event) })
    progress.finish()
    guard let reproduction else {
      console.complain("stopped; the same command goes on from here")
      return .interrupted
    }
    if updates {
      try reproduction.commit()
      console.note("wrote \(experiment.resultsDirectory)")
    }
    if console.format == .text {
      print(reproduction, on: console)
    } else {
      try console.print(json: reproduction.report)
    }
    // What was committed before says nothing against what is to take its place.
    let isReproduced =
      updates ? reproduction.verdicts.allSatisfy(\.holds) : reproduction.isReproduced
    if !isReproduced { console.complain("\(directory) was not reproduced") }
    return isReproduced ? .done : .failed
  }

  private func print(_ reproduction: Reproduction, on console: Console) {
    let report = reproduction.report
    Table.print(
      [
        .init(title: "claim", side: .left), .init(title: "expected"), .init(title: "published"),
        .init(title: "measured"), .init(title: "", side: .left),
      ],
      report.claims.map { claim in
        [
          claim.name, claim.expected, claim.published.map { Cell.fixed($0, digits: 0) } ?? "–",
          claim.measured.map { Cell.fixed($0, digits: claim.isAccuracy ? 4 : 1) } ?? "not reached",
          claim.holds ? "holds" : "FAILS",
        ]
      }, on: console)
    console.print("")
    Table.print(
      [
        .init(title: "run", side: .left), .init(title: "rounds to target"),
        .init(title: "committed"), .init(title: "best accuracy"), .init(title: "committed"),
        .init(title: "model", side: .left),
      ],
      report.runs.map { run in
        [
          run.name, run.roundsToTarget.map { Cell.fixed($0, digits: 1) } ?? "–",
          run.committedRoundsToTarget.map { Cell.fixed($0, digits: 1) } ?? "–",
          Cell.percent(run.bestAccuracy), Cell.percent(run.committedBestAccuracy),
          run.verdict.rawValue,
        ]
      }, on: console)
  }
}
