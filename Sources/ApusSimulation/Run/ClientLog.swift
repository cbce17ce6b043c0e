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
  /// Lines of the round under way: they are written when it is committed.
  private var lines = ""

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

  /// Keeps the line of one client for ``write()``.
  func note(_ job: ClientJob, _ result: ClientResult, round: Int) {
    var line = Line(
      round: round, client: job.client, examples: result.exampleCount, steps: result.stepCount)
    line.loss = result.stepCount > 0 ? result.lossSum / Double(result.stepCount) : nil
    if case .rejected(_, let message) = result.verdict { line.rejected = message }
    // A line of numbers and text is always JSON, but for a loss that is not finite, which ends the run.
    lines += (try? RunDirectory.json(line)).map { $0 + "\n" } ?? ""
  }

  /// Writes the lines of a round that is over.
  ///
  /// - Throws: `output-unwritable`.
  func write() throws(SimulationError) {
    let text = lines
    lines = ""
    try RunDirectory.failing("write", file) { try handle.write(contentsOf: Data(text.utf8)) }
  }
}
