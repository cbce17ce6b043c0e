// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// What runs did, for people: a page with charts, and the numbers.
public enum Report {
  /// Writes one self-contained HTML page about some runs, and their numbers as CSV beside it.
  ///
  /// Runs of one recipe that differ in their seeds alone are drawn as their mean with a band of one
  /// standard deviation. The page needs no network, and no script to be read.
  ///
  /// - Parameters:
  ///   - runs: Run directories; at least one.
  ///   - path: The page, `NAME.html`; it and `NAME.csv` are replaced where they exist.
  /// - Returns: What was let pass while reading, a sentence each.
  /// - Throws: `not-a-run`, `damaged-run`, `output-unwritable`.
  @discardableResult
  public static func write(
    runs: [String], to path: String
  ) throws(SimulationError) -> [String] {
    let recorded = try read(runs)
    try write(ReportPage(recorded).html, to: path)
    let stem = path.hasSuffix(".html") ? String(path.dropLast(5)) : path
    try write(RunTable.csv(of: recorded), to: "\(stem).csv")
    return recorded.flatMap(\.notes)
  }

  /// The numbers of some runs as comma-separated values, a line for each round.
  ///
  /// - Throws: `not-a-run`, `damaged-run`.
  public static func csv(runs: [String]) throws(SimulationError) -> String {
    RunTable.csv(of: try read(runs))
  }

  static func read(_ paths: [String]) throws(SimulationError) -> [RecordedRun] {
    guard !paths.isEmpty else {
      throw SimulationError(.notARun, "No run was named; name one run directory or more.")
    }
    var runs: [RecordedRun] = []
    for path in paths { runs.append(try RecordedRun(at: path)) }
    return runs
  }

  static func write(_ text: String, to path: String) throws(SimulationError) {
    do throws(NumericsError) {
      try DurableFile.write(Array(text.utf8), to: path)
    } catch {
      throw SimulationError(
        .outputUnwritable,
        "\(error.message) Name a file in a directory that exists, can be written to and has room.",
        cause: error)
    }
  }
}
