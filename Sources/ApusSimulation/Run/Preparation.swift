// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCatalog
internal import ApusData
internal import ApusModels
internal import ApusNumerics
internal import ApusTraining
internal import Foundation

/// What a recipe names, found and fitted together: data, its division, the model's graph, the loss.
struct Preparation {
  let data: FederatedDataset
  let graph: Graph
  /// SHA-256 of the graph in JSON.
  let graphDigest: String
  let loss: Loss
  let cohortSize: Int
  /// SHA-256 of every file of data read, by the file's name.
  let dataDigests: [String: String]

  init(_ recipe: Recipe, directory: String, options: RunOptions) throws(SimulationError) {
    do {
      let catalog = DataCatalog(
        directory: options.dataDirectory, environment: options.environment)
      (data, dataDigests) = try catalog.federated(
        recipe.data.set, split: recipe.data.split, clients: recipe.data.clients,
        holdBack: recipe.data.holdBack, alpha: recipe.data.alpha, beta: recipe.data.beta,
        seed: recipe.seed)
    } catch {
      guard error.code == .impossibleSplit || error.code == .unknownSet else {
        throw SimulationError(.data, error.message, cause: error)
      }
      throw SimulationError(
        .invalidRecipe, "recipe \(recipe.name): data: \(error.message)", cause: error)
    }
    cohortSize = try Self.cohortSize(recipe.cohort, of: data.clientCount)

    let table = data.client(0).train.table
    loss = if case .values = table.targets { .meanSquaredError } else { .softmaxCrossEntropy }
    do {
      graph = try Self.graph(recipe.model, for: table, directory: directory)
      try Program(graph, loss: loss, batchSize: 1).checkFits(table)
      graphDigest = try Self.digest(of: graph)
    } catch let error as SimulationError {
      throw error
    } catch {
      throw SimulationError(
        .modelMismatch, "recipe \(recipe.name): model: it does not fit the data. \(error)",
        cause: error)
    }
  }

  /// One digest for all files of data.
  var dataDigest: String {
    let text = dataDigests.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }.joined()
    return Array(text.utf8).withUnsafeBytes { SHA256.hexDigest(of: $0) }
  }

  private static func digest(of graph: Graph) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return try encoder.encode(graph).withUnsafeBytes { SHA256.hexDigest(of: $0) }
  }

  private static func cohortSize(
    _ choice: Recipe.CohortChoice, of clientCount: Int
  ) throws(SimulationError) -> Int {
    switch choice {
    case .fraction(let fraction):
      // McMahan et al., Algorithm 1: m ← max(C · K, 1).
      return min(clientCount, max(Int((fraction * Double(clientCount)).rounded()), 1))
    case .size(let size):
      guard size <= clientCount else {
        throw SimulationError(
          .invalidRecipe,
          "cohort.size is \(size), but there are \(clientCount) clients; expected 1...\(clientCount)."
        )
      }
      return size
    }
  }

  private static func graph(
    _ choice: Recipe.ModelChoice, for table: ExampleTable, directory: String
  ) throws -> Graph {
    switch choice {
    case .named(let name):
      let outputs =
        switch table.targets {
        case .values(_, let shape): shape.count
        default: table.classCount ?? 1
        }
      guard let model = ModelCatalog.model(named: name, classes: outputs) else {
        throw SimulationError(
          .invalidRecipe,
          "There is no model \(name); expected one of \(ModelCatalog.names.joined(separator: ", "))."
        )
      }
      return try Graph(tracing: model, input: InputSignature(of: table))
    case .graph(let file):
      let path = file.hasPrefix("/") ? file : directory + "/" + file
      guard let bytes = FileManager.default.contents(atPath: path) else {
        throw SimulationError(
          .invalidRecipe, "There is no file \(path); expected a graph in JSON (model.graph).")
      }
      do {
        return try JSONDecoder().decode(Graph.self, from: bytes)
      } catch {
        throw SimulationError(
          .invalidRecipe, "\(path) is not a graph: \(error)", cause: error)
      }
    }
  }
}

extension InputSignature {
  /// What the examples of a table are.
  init(of table: ExampleTable) {
    if case .tokens = table.inputs {
      self.init(table.inputShape, kind: .tokens)
    } else {
      self.init(table.inputShape)
    }
  }
}
