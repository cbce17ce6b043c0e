// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusCatalog
import ApusData
import ApusNumerics
import ApusRounds
import ApusTraining
import Foundation
import Synchronization
import Testing

@testable import ApusSimulation

/// A directory of one test, removed with it.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("apus-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func path(_ name: String) -> String { path + "/" + name }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    let file = path(name)
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    return file
  }
}

/// A run that has ended, and what it left.
struct EndedRun {
  let summary: RunSummary
  let directory: String
  /// The lines of `metrics.jsonl`, their times made 0.
  let records: [RoundRecord]

  init(_ summary: RunSummary, in directory: String) throws {
    self.summary = summary
    self.directory = directory
    records = try MetricsLog.records(in: directory + "/metrics.jsonl").map { record in
      var record = record
      record.seconds = RoundRecord.Seconds()
      return record
    }
  }

  /// What was told of every client of every round.
  struct ClientLine: Decodable {
    var round: Int
    var client: Int
    var examples: Int
    var steps: Int
    var rejected: String?
  }

  func clientLines() throws -> [ClientLine] {
    let text = try String(contentsOfFile: directory + "/clients.jsonl", encoding: .utf8)
    return try text.split(separator: "\n").map {
      try JSONDecoder().decode(ClientLine.self, from: Data($0.utf8))
    }
  }

  /// The numbers of `model.safetensors`.
  func model() throws -> [ParameterVector] {
    let file = try Safetensors(contentsOf: directory + "/model.safetensors")
    return try file.tensors.map { try file.values(of: $0.name) }
  }
}

/// Runs of the bundled digits that are over in an instant.
enum SmallRun {
  static let fedAvg = AlgorithmChoice.fedAvg(
    FedAvg(localEpochs: 2, batchSize: 10, learningRate: 0.1))

  static func recipe(
    _ algorithm: AlgorithmChoice = fedAvg, clients: Int = 12, cohort: Int = 5,
    rounds: Int = 3
  ) -> Recipe {
    Recipe(
      name: "small", model: .named("logistic"),
      data: .init(set: "digits", split: .shards(perClient: 2), clients: clients),
      algorithm: algorithm, cohort: .size(cohort), rounds: rounds)
  }

  static func options(
    threads: Int = 2, output: String? = nil, checkpointInterval: Double = 10
  ) -> RunOptions {
    var options = RunOptions(threads: threads, outputDirectory: output)
    options.checkpointInterval = checkpointInterval
    return options
  }

  /// Runs a recipe in a new directory, to its end.
  static func run(
    _ recipe: Recipe, in scratch: Scratch, as name: String = UUID().uuidString, threads: Int = 2,
    logsClients: Bool = false
  ) throws -> EndedRun {
    var options = options(threads: threads, output: scratch.path(name))
    options.logsClients = logsClients
    let run = try Run(of: recipe, recipeFile: scratch.path("recipe.json5"), options: options)
    let summary = try run.run(stopRequested: { false }, onRound: { _ in })
    return try EndedRun(summary, in: run.directory)
  }

  /// Writes a graph, for a recipe that names its file.
  static func writeGraph(_ model: some Model, to name: String, in scratch: Scratch) throws {
    let graph = try Graph(tracing: model, input: [8, 8, 1])
    let text = String(decoding: try JSONEncoder().encode(graph), as: UTF8.self)
    try scratch.write(text, to: name)
  }
}

/// Says yes from its n-th answer on.
final class StopAfter: Sendable {
  private let left: Atomic<Int>
  init(_ count: Int) { left = Atomic(count) }
  func isRequested() -> Bool { left.wrappingSubtract(1, ordering: .relaxed).newValue < 0 }
}

/// A model with dropout.
struct Perceptron: Model {
  let hidden = Dense(16, activation: .relu)
  let dropout: Dropout
  let logits = Dense(10)

  init(rate: Float) { dropout = Dropout(rate) }

  func callAsFunction(_ input: Symbol) -> Symbol { logits(dropout(hidden(input.flattened()))) }
}
