// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

extension Reproduction {
  /// Puts what came out in the place of the committed results: `results/summary.json`, a CSV for every
  /// run, and `figure.svg`.
  ///
  /// - Throws: `output-unwritable`.
  public func commit() throws(SimulationError) {
    let directory = experiment.resultsDirectory
    try RunDirectory.failing("make", directory) {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
    }
    let results = CommittedResult.all(of: rows)
    try RunDirectory.write(
      try RunDirectory.json(results, pretty: true) + "\n", to: directory + "/summary.json")
    for (cell, rows) in rows {
      for row in rows {
        for (summary, run) in zip(row.summaries, row.directories) {
          let title = ([cell] + row.settings.values.map(\.value) + ["seed\(summary.seed)"])
            .joined(separator: "-")
          try RunDirectory.write(
            try Self.csv(ofRun: run), to: "\(directory)/\(title).csv")
        }
      }
    }
    try writeFigure()
  }

  /// The curves of the best of every cell's grid, with the first published figure.
  private func writeFigure() throws(SimulationError) {
    let best = rows.compactMap { cell in
      let claim = experiment.claims.first { $0.cell == cell.cell || $0.over == cell.cell }
      return claim.flatMap { Self.best(of: cell.rows, by: $0.metric) }.map { (cell.cell, $0) }
    }
    guard let first = best.first else { return }
    var reference: Figure.Reference?
    if let target = first.1.summaries.first?.targetAccuracy {
      let published = experiment.claims.first { $0.metric == .roundsToTarget && $0.over == nil }
      reference = Figure.Reference(
        accuracy: target, round: published?.published, label: experiment.source)
    }
    try Figure.write(
      groups: best.map { ($0.0, $0.1.directories) }, title: experiment.title, reference: reference,
      to: experiment.directory + "/figure.svg")
  }

  /// The measured rounds of a run; times are left out, so that the same bytes come out again.
  private static func csv(ofRun run: String) throws(SimulationError) -> String {
    let log = try MetricsLog.records(in: run + "/metrics.jsonl")
    var text = "round,accuracy,loss,trainingLoss,clients,dropped\n"
    for record in log where record.accuracy != nil || record.loss != nil {
      let numbers = [record.accuracy, record.loss, record.trainingLoss].map { number in
        number.map { "\($0)" } ?? ""
      }
      text +=
        "\(record.round),\(numbers.joined(separator: ",")),\(record.clients),\(record.dropped)\n"
    }
    return text
  }
}
