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
  }

  /// The measured rounds of a run; times are left out, so that the same bytes come out again.
  private static func csv(ofRun run: String) throws(SimulationError) -> String {
    let log = try MetricsLog.records(in: run + "/metrics.jsonl")
    var text = "round,accuracy,loss,trainingLoss,clients,dropped\n"
    for record in log where record.accuracy != nil || record.loss != nil {
      let numbers = [record.accuracy, record.loss, record.trainingLoss].map { number in
        number.map { "\($0)" } ?? ""
      }
      text += "\(record.round),\(numbers.joined(separator: ",")),\(record.clients),\(record.dropped)\n"
    }
    return text
  }
}
