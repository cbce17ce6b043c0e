// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusSimulation

/// `apus reproduce`: an experiment again.
struct Reproduce: Command {
  static let grammar = Grammar(
    name: "reproduce",
    summary: "Run an experiment again and compare it with its committed result.",
    details: "Ends with 1 where a number is outside of what the experiment claims.",
    arguments: [
      Argument("DIR", .directory, .one, "An experiment's directory, as under Simulations/.")
    ],
    options: [RunGrammar.threads, RunGrammar.out, RunGrammar.dataDirectory],
    examples: ["apus reproduce Simulations/fedavg-mnist-2nn"])

  private let directory: String
  private let options: RunOptions

  init(_ words: Words) throws(UsageError) {
    directory = words.argument() ?? ""
    options = try RunGrammar.options(from: words)
  }

  func run(on console: Console) throws -> ExitCode {
    Interruption.watch()
    var options = options
    options.environment = console.environment
    let progress = ProgressLine("Reading recipe and data", on: console)
    defer { progress.finish() }
    let result = try Reproduction.run(
      directory: directory, options: options, stopRequested: { Interruption.isRequested },
      onRound: { record in
        let accuracy = record.accuracy.map { ", accuracy \(Cell.percent($0))" } ?? ""
        progress.update("Round \(record.round)\(accuracy)")
      })
    progress.finish()
    if Interruption.isRequested {
      console.complain("stopped; nothing was compared")
      return .interrupted
    }
    if console.format == .text {
      Table.print(
        [
          .init(title: "claim", side: .left), .init(title: "expected"), .init(title: "measured"),
          .init(title: "", side: .left),
        ],
        result.claims.map { [$0.name, $0.expected, $0.measured, $0.passed ? "holds" : "FAILS"] },
        on: console)
    } else {
      try console.print(json: result)
    }
    if !result.passed { console.complain("\(directory) was not reproduced") }
    return result.passed ? .done : .failed
  }
}
