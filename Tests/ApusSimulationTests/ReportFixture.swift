// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import Foundation

@testable import ApusSimulation

/// A directory for a test's files, gone with the value.
final class ScratchDirectory {
  let path = FileManager.default.temporaryDirectory
    .appending(path: "apus-report-\(UUID().uuidString)").path

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
  }

  func read(_ name: String) throws -> String {
    try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
  }
}

/// A run that looks like one: curves that rise and flatten, noise, drop-outs, slow rounds.
struct SyntheticRun {
  var name = "fedavg-mnist"
  var seed: UInt64 = 1
  var rounds = 100
  var learningRate = 0.1
  /// What the accuracy comes near to.
  var ceiling = 0.975
  var evaluatesEvery = 1
  var measuresClients = false
  var dropOutRate = 0.0
  var target: Double? = 0.97
  var divergesAt: Int?

  var recipe: String {
    """
    // As resolved.
    {
      name: "\(name)",
      model: "mcmahan-2nn",
      data: { set: "fashion-mnist", split: { shards: { perClient: 2 } }, clients: 100 },
      algorithm: { fedavg: { localEpochs: 5, batchSize: 10, learningRate: \(learningRate) } },
      cohort: { fraction: 0.1 },
      rounds: \(rounds),
      seed: \(seed),
    }

    """
  }

  var records: [RoundRecord] {
    var random = RandomStream(seed: seed).split(7)
    func noise(_ size: Double) -> Double { (random.uniform() - 0.5) * 2 * size }
    var records: [RoundRecord] = []
    for round in 0...rounds {
      let progress = 1 - 1 / (1 + Double(round) * learningRate * 6)
      let wobble = noise(0.04) * (1 - progress * 0.8)
      let accuracy = round == 0 ? 0.1 : min(max(0.1 + (ceiling - 0.1) * progress + wobble, 0), 1)
      let isMeasured = round.isMultiple(of: evaluatesEvery) || round == rounds
      let dropped = round == 0 ? 0 : (0..<10).count { _ in noise(0.5) + 0.5 < dropOutRate }
      let counted = round == 0 ? 0 : 10 - dropped
      var seconds = RoundRecord.Seconds()
      if round > 0 {
        seconds.train = 0.42 + noise(0.05) + (round.isMultiple(of: 37) ? 0.4 : 0)
        seconds.aggregate = 0.012 + noise(0.004)
        seconds.checkpoint = 0.006
      }
      seconds.evaluate = isMeasured ? 0.09 + noise(0.02) : 0
      var loss = 2.3 * (1 - progress) + 0.08 + noise(0.05) * (1 - progress)
      if let divergesAt, round >= divergesAt { loss = .nan }
      var record = RoundRecord(round: round)
      record.trainingLoss = round == 0 ? nil : loss * 0.7
      record.clients = counted
      record.dropped = dropped
      record.rejected = round > 0 && round.isMultiple(of: 23) ? 1 : 0
      record.examples = counted * 600
      record.seconds = seconds
      record.bytesUp = counted * 796_840
      record.bytesDown = (counted + dropped) * 796_840
      if isMeasured {
        record.accuracy = accuracy
        record.loss = loss
        if measuresClients {
          record.clientAccuracy = RoundRecord.ClientAccuracy(
            mean: accuracy - 0.02, tenthPercentile: max(accuracy - 0.12 + noise(0.02), 0),
            worst: max(accuracy - 0.3 + noise(0.08), 0), clients: 100)
        }
      }
      records.append(record)
    }
    return records
  }

  var summary: RunSummary {
    let measured = records.compactMap(\.accuracy)
    let reached = target.flatMap { target in
      records.first { ($0.accuracy ?? 0) >= target }.map { Double($0.round) - 0.4 }
    }
    return RunSummary(
      name: name, seed: seed, outcome: divergesAt == nil ? .completed : .diverged, rounds: rounds,
      finalAccuracy: measured.last, bestAccuracy: measured.max(), targetAccuracy: target,
      roundsToTarget: reached, parameterCount: 199_210,
      modelDigest: String(repeating: "3f9a0c71", count: 8),
      seconds: records.reduce(0) { $0 + $1.seconds.total }, threads: 2)
  }

  var metrics: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      return try records.map { String(decoding: try encoder.encode($0), as: UTF8.self) + "\n" }
        .joined()
    }
  }

  /// Writes the run's directory into `scratch`.
  ///
  /// - Returns: Its path.
  @discardableResult
  func write(into scratch: ScratchDirectory, as folder: String? = nil) throws -> String {
    let folder = folder ?? "\(name)-seed\(seed)"
    try FileManager.default.createDirectory(
      atPath: "\(scratch.path)/\(folder)", withIntermediateDirectories: true)
    try scratch.write(recipe, to: "\(folder)/recipe.json5")
    try scratch.write(metrics, to: "\(folder)/metrics.jsonl")
    let summary = try JSONEncoder().encode(summary)
    try scratch.write(String(decoding: summary, as: UTF8.self), to: "\(folder)/summary.json")
    return "\(scratch.path)/\(folder)"
  }
}
