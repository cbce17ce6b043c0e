// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

extension Program {
  /// How many bytes a program of this graph would allocate for its values, found without allocating them.
  ///
  /// The vectors that a training step works on come to it.
  /// - Throws: what ``init(_:loss:batchSize:)`` throws, but for memory that there is not.
  /// - Complexity: that of planning: O(k² log k) for k values.
  package static func valueByteCount(
    _ graph: Graph, loss: Loss, batchSize: Int
  ) throws(TrainingError) -> Int {
    precondition(batchSize > 0, "A batch has at least one example, not \(batchSize).")
    let target = try loss.targetSignature(for: graph.outputShape)
    try requireSize(of: graph, batchSize: batchSize)
    let backward = Schedule(
      try Differentiator.differentiating(graph, loss: loss, target: target), capacity: batchSize,
      isTraining: true)
    let forward = Schedule(
      try Differentiator.measuring(graph, loss: loss, target: target), capacity: batchSize,
      isTraining: false)
    let words = max(
      MemoryPlan(backward.requests).wordCount, MemoryPlan(forward.requests).wordCount)
    // Constants and the pieces that kernels are prepared with are small beside it.
    return words * 4
  }
}
