// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusTraining

/// What one thread has to itself: programs, which are workspaces.
final class Worker: @unchecked Sendable {
  // Sendable: `WorkerTeam` never runs two items of the same worker at once.
  let trainer: Program
  /// The same model with room for more examples at a time, which makes the products faster.
  let evaluator: Program

  init(_ graph: Graph, loss: Loss, batchSize: Int) throws(TrainingError) {
    trainer = try Program(graph, loss: loss, batchSize: batchSize)
    evaluator = try Program(graph, loss: loss, batchSize: Self.evaluationBatchSize)
  }

  static let evaluationBatchSize = 50
}
