// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

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
  /// - Throws: `unreadableRun`, `invalidRun`, `unwritableReport`.
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
  /// - Throws: `unreadableRun`, `invalidRun`.
  public static func csv(runs: [String]) throws(SimulationError) -> String {
    RunTable.csv(of: try read(runs))
  }

  static func read(_ paths: [String]) throws(SimulationError) -> [RecordedRun] {
    guard !paths.isEmpty else {
      throw SimulationError(.unreadableRun, "No run was named; name one run directory or more.")
    }
    var runs: [RecordedRun] = []
    for path in paths { runs.append(try RecordedRun(at: path)) }
    return runs
  }

  static func write(_ text: String, to path: String) throws(SimulationError) {
    do {
      try Data(text.utf8).write(to: URL(filePath: path))
    } catch {
      throw SimulationError(
        .unwritableReport,
        "\(path) cannot be written: \(error.localizedDescription) "
          + "Name a file in a directory that exists, is writable and has room.", cause: error)
    }
  }
}
