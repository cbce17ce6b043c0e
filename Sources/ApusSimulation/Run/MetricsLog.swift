// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// `metrics.jsonl`: a line for every round, in order, added as rounds are committed.
final class MetricsLog {
  let file: String
  private(set) var records: [RoundRecord]
  private let handle: FileHandle

  /// Opens the log of a run and keeps the lines of the rounds up to the one that is resumed from.
  ///
  /// - Parameters:
  ///   - file: the path.
  ///   - lastRound: later rounds are cut off (they will be run again); nil for a new log.
  /// - Throws: `output-unwritable`; `not-a-run` where lines of earlier rounds are missing or damaged, and
  ///   then nothing is cut off.
  init(_ file: String, keepingRoundsTo lastRound: Int?) throws(SimulationError) {
    self.file = file
    let (kept, keptBytes) = lastRound.map { Self.read(file, to: $0) } ?? ([], 0)
    if let lastRound, kept.map(\.round) != Array(0..<lastRound + 1) {
      let round = kept.indices.first { kept[$0].round != $0 } ?? kept.count
      throw SimulationError(
        .notARun,
        "\(file) has no sound line for round \(round); expected one for every round up to "
          + "\(lastRound), that of the checkpoint. Put the file back as it was, or begin anew in another "
          + "directory.")
    }
    records = kept
    handle = try RunDirectory.failing("open", file) {
      if !FileManager.default.fileExists(atPath: file) {
        try Data().write(to: URL(fileURLWithPath: file))
      }
      let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
      try handle.truncate(atOffset: UInt64(keptBytes))
      try handle.seekToEnd()
      return handle
    }
  }

  /// The records of a run, finished or not.
  static func records(in file: String) throws(SimulationError) -> [RoundRecord] {
    guard FileManager.default.fileExists(atPath: file) else {
      throw SimulationError(.notARun, "There is no \(file); expected a run's metrics.")
    }
    return read(file, to: .max).records
  }

  /// The records up to a round, and how many bytes they take.
  private static func read(_ file: String, to lastRound: Int) -> (records: [RoundRecord], Int) {
    var kept: [RoundRecord] = []
    var keptBytes = 0
    let data = FileManager.default.contents(atPath: file) ?? Data()
    // What follows the last line's end was torn by a kill.
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for line in lines.dropLast() {
      let record = try? JSONDecoder().decode(RoundRecord.self, from: line)
      guard let record, record.round <= lastRound else { break }
      kept.append(record)
      keptBytes += line.count + 1
    }
    return (kept, keptBytes)
  }

  func append(_ record: RoundRecord) throws(SimulationError) {
    let line = try RunDirectory.json(record) + "\n"
    try RunDirectory.failing("write", file) { try handle.write(contentsOf: Data(line.utf8)) }
    records.append(record)
  }

  /// Makes what was written survive a loss of power.
  func synchronize() throws(SimulationError) {
    try RunDirectory.failing("write", file) { try handle.synchronize() }
  }
}
