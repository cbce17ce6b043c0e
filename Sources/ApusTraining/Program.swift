// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusData
public import ApusNumerics

/// A traced model, differentiated and planned: training steps over one flat parameter vector.
///
/// A program is a workspace that belongs to one thread at a time: each worker has its own. A step
/// allocates nothing.
public final class Program: Objective {
  public typealias Examples = ClientDataset

  public let graph: Graph
  public let loss: Loss
  /// How many examples are computed at a time; larger batches are divided, and give the same result.
  public let batchSize: Int
  /// The order of the numbers that are trained.
  public let layout: ParameterLayout
  /// Where values lie during a training step.
  public let memoryPlan: MemoryPlan
  /// The numbers that are used but not trained, in the order of `graph.frozenLayout`.
  ///
  /// At first they are drawn as ``initialFrozenParameters(seed:)`` does with seed 0.
  public var frozenParameters: ParameterVector {
    willSet {
      precondition(
        newValue.count == frozenParameters.count,
        "There are \(frozenParameters.count) frozen numbers, not \(newValue.count).")
    }
  }

  let training: InstructionList
  let inference: InstructionList
  /// What the instructions of ``training`` are called in a profile.
  let trainingLabels: [StepLabel]
  let arena: Arena
  /// Words of one example's target.
  let targetCount: Int
  /// Where a step too large for the workspace collects its gradient.
  private var spareGradient: ParameterVector?

  /// - Parameters:
  ///   - graph: what to compute.
  ///   - loss: what to make small.
  ///   - batchSize: how many examples to have room for; larger batches take several rounds.
  /// - Throws: `unsupportedModel` where the loss does not go with the output; `outOfMemory`.
  /// - Allocates: what ``memoryPlan`` says.
  public init(_ graph: Graph, loss: Loss, batchSize: Int) throws(TrainingError) {
    precondition(batchSize > 0, "A batch has at least one example, not \(batchSize).")
    let target = try loss.targetSignature(for: graph.outputShape)
    try Self.requireSize(of: graph, batchSize: batchSize)
    let backward = Schedule(
      try Differentiator.differentiating(graph, loss: loss, target: target), capacity: batchSize,
      isTraining: true)
    let forward = Schedule(
      try Differentiator.measuring(graph, loss: loss, target: target), capacity: batchSize,
      isTraining: false)
    self.graph = graph
    self.loss = loss
    self.batchSize = batchSize
    layout = graph.layout
    targetCount = target.count
    memoryPlan = MemoryPlan(backward.requests)
    training = InstructionList(backward, memoryPlan)
    trainingLabels = backward.labels
    inference = InstructionList(forward, MemoryPlan(forward.requests))
    arena = try Arena(wordCount: max(training.wordCount, inference.wordCount))
    frozenParameters = graph.initialParameters(seed: 0, frozen: true)
  }

  /// Traces the model and plans its training.
  ///
  /// - Throws: what tracing and planning throw.
  public convenience init(
    tracing model: some Model, input: InputSignature, loss: Loss, batchSize: Int
  ) throws(TrainingError) {
    try self.init(Graph(tracing: model, input: input), loss: loss, batchSize: batchSize)
  }

  /// Freshly drawn parameters; the same seed gives the same numbers.
  public func initialParameters(seed: UInt64) -> ParameterVector {
    graph.initialParameters(seed: seed, frozen: false)
  }

  /// Freshly drawn frozen parameters, for those that are not read from a file.
  public func initialFrozenParameters(seed: UInt64) -> ParameterVector {
    graph.initialParameters(seed: seed, frozen: true)
  }

  /// Computes the mean loss of the batch at `x` and stores its gradient.
  ///
  /// - Parameters:
  ///   - x: the parameters, in the order of ``layout``.
  ///   - batch: any number of examples.
  ///   - gradient: overwritten; as long as `x`.
  /// - Returns: the mean loss. Not finite when training has diverged.
  public func gradient(
    at x: ParameterVector, on batch: Batch, into gradient: inout ParameterVector
  ) -> Double {
    requireLength(x)
    requireLength(gradient)
    return x.withUnsafeBufferPointer { x in
      gradient.withUnsafeMutableBufferPointer { gradient in
        runTraining(on: batch, Self.base(x), sinks: Self.base(gradient), scale: 1, beta: 0)
      }
    }
  }

  /// One plain step of stochastic gradient descent, x ← x − rate · ∇f(x; batch).
  ///
  /// Gradients of weights are never stored: the product that computes one adds it to the weights.
  public func descend(_ x: inout ParameterVector, on batch: Batch, rate: Float) -> Double {
    requireLength(x)
    if batch.count > batchSize {
      // All parts of the batch need the parameters as they were.
      var g = spareGradient ?? ParameterVector(count: x.count)
      spareGradient = nil
      let loss = gradient(at: x, on: batch, into: &g)
      x.update(with: g) { x, g in x - rate * g }
      spareGradient = g
      return loss
    }
    return x.withUnsafeMutableBufferPointer { x in
      let base = Self.base(UnsafeBufferPointer(x))
      return runTraining(on: batch, base, sinks: base, scale: -rate, beta: 1)
    }
  }

  private func requireLength(_ x: ParameterVector) {
    precondition(
      x.count == layout.count, "The model has \(layout.count) numbers, the vector \(x.count).")
  }
}
