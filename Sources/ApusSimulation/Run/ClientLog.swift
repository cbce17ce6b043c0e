// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// `clients.jsonl`: a line for every client of every round, when asked for.
final class ClientLog {
  private struct Line: Codable {
    var round: Int
    var client: Int
    var examples: Int
    var steps: Int
    /// Mean loss over the client's steps.
    var loss: Double?
    /// Why the update was refused; nil where it was counted.
    var rejected: String?
  }

  private let file: String
  private let handle: FileHandle

  /// - Parameters:
  ///   - file: the path.
  ///   - lastRound: lines of later rounds are cut off.
  /// - Throws: `output-unwritable`.
  init(_ file: String, keepingRoundsTo lastRound: Int) throws(SimulationError) {
    self.file = file
    handle = try RunDirectory.failing("open", file) {
      var kept = Data()
      if let data = FileManager.default.contents(atPath: file) {
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for line in lines.dropLast() {
          guard let read = try? JSONDecoder().decode(Line.self, from: line), read.round <= lastRound
          else { break }
          kept += line + [UInt8(ascii: "\n")]
        }
      }
      try kept.write(to: URL(fileURLWithPath: file), options: .atomic)
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
      try handle.seekToEnd()
      return handle
    }
  }

  func append(_ outcome: RoundOutcome, round: Int) throws(SimulationError) {
    var text = ""
    for (job, result) in zip(outcome.jobs, outcome.results) {
      var line = Line(
        round: round, client: job.client, examples: result.exampleCount, steps: result.stepCount)
      line.loss = result.stepCount > 0 ? result.lossSum / Double(result.stepCount) : nil
      if case .rejected(_, let message) = result.verdict { line.rejected = message }
      text += try RunDirectory.json(line) + "\n"
    }
    try RunDirectory.failing("write", file) { try handle.write(contentsOf: Data(text.utf8)) }
  }
}
