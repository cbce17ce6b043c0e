// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The numbers of runs as comma-separated values (RFC 4180), a line for each round.
enum RunTable {
  private static let columns: [(name: String, value: @Sendable (RoundRecord) -> String)] = [
    ("round", { String($0.round) }),
    ("accuracy", { number($0.accuracy) }),
    ("loss", { number($0.loss) }),
    ("training_loss", { number($0.trainingLoss) }),
    ("clients", { String($0.clients) }),
    ("dropped", { String($0.dropped) }),
    ("rejected", { String($0.rejected) }),
    ("examples", { String($0.examples) }),
    ("bytes_up", { String($0.bytesUp) }),
    ("bytes_down", { String($0.bytesDown) }),
    ("client_accuracy_mean", { number($0.clientAccuracy?.mean) }),
    ("client_accuracy_p10", { number($0.clientAccuracy?.tenthPercentile) }),
    ("client_accuracy_worst", { number($0.clientAccuracy?.worst) }),
    ("seconds_train", { number($0.seconds.train) }),
    ("seconds_aggregate", { number($0.seconds.aggregate) }),
    ("seconds_evaluate", { number($0.seconds.evaluate) }),
    ("seconds_checkpoint", { number($0.seconds.checkpoint) }),
  ]

  static func csv(of runs: [RecordedRun]) -> String {
    var text = (["run", "seed"] + columns.map(\.name)).joined(separator: ",") + "\r\n"
    for run in runs {
      let start = "\(quoted(run.name)),\(run.summary.map { String($0.seed) } ?? "")"
      for record in run.records {
        text += start
        for column in columns { text += ",\(column.value(record))" }
        text += "\r\n"
      }
    }
    return text
  }

  // The shortest digits that read back as the same number; empty where nothing was measured.
  private static func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }

  private static func quoted(_ text: String) -> String {
    guard text.contains(where: { ",\"\r\n".contains($0) || $0.isNewline }) else { return text }
    return "\"\(text.replacing("\"", with: "\"\""))\""
  }
}
