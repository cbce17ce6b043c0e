// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusSimulation

/// `apus report`: charts of runs.
struct ReportCommand: Command {
  private static let out = Option(
    "out", .file, "FILE.html",
    "The page; if not said, report.html in the run's directory, or here for several runs.")

  static let grammar = Grammar(
    name: "report",
    summary: "Write a page with charts of runs, and their numbers as CSV beside it.",
    details: "The page holds everything it shows; it loads nothing from a network.",
    arguments: [Argument("RUN", .directory, .oneOrMore, "Directories of runs.")],
    options: [out],
    examples: ["apus report runs/fedavg-seed1 runs/fedprox-seed1 --out compared.html"])

  private struct Written: Encodable {
    let report: String
    let runs: [String]
  }

  private let runs: [String]
  private let path: String

  init(_ words: Words) throws(UsageError) {
    runs = words.arguments.map { run in
      var run = run
      while run.hasSuffix("/"), run.count > 1 { run.removeLast() }
      return run
    }
    path = words.value(Self.out) ?? (runs.count == 1 ? "\(runs[0])/report.html" : "report.html")
    guard path.hasSuffix(".html") else {
      throw words.failure("--out \(path), expected the name of a page, which ends in .html")
    }
  }

  func run(on console: Console) throws -> ExitCode {
    try Report.write(runs: runs, to: path)
    if console.format == .text {
      console.print(path)
    } else {
      try console.print(json: Written(report: path, runs: runs))
    }
    return .done
  }
}
