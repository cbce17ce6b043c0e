// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Something with a gradient: a planned program in production, a parabola in tests.
///
/// Algorithms know their model only through this protocol, so that each can be tried on problems with
/// closed-form answers.
public protocol Objective {
  /// What a client has: examples that can be read in batches.
  associatedtype Examples: LocalExamples
  typealias Batch = Examples.Batch

  /// Computes the mean loss of the batch at `x` and stores its gradient.
  ///
  /// - Parameters:
  ///   - x: where.
  ///   - batch: the examples.
  ///   - gradient: overwritten; as long as `x`.
  /// - Returns: the mean loss over the batch. Not finite when training has diverged.
  mutating func gradient(
    at x: ParameterVector, on batch: Batch, into gradient: inout ParameterVector
  ) -> Double

  /// One plain step of stochastic gradient descent, x ← x − rate · ∇f(x; batch).
  ///
  /// - Parameters:
  ///   - x: where; moved.
  ///   - batch: the examples.
  ///   - rate: the learning rate.
  /// - Returns: the mean loss over the batch before the step.
  mutating func descend(_ x: inout ParameterVector, on batch: Batch, rate: Float) -> Double
}

extension Objective {
  public mutating func descend(
    _ x: inout ParameterVector, on batch: Batch, rate: Float
  ) -> Double {
    var g = ParameterVector(count: x.count)
    let loss = gradient(at: x, on: batch, into: &g)
    x.update(with: g) { x, g in x - rate * g }
    return loss
  }
}

/// The examples of one client.
public protocol LocalExamples: Sendable {
  associatedtype Batch
  associatedtype Batches: Sequence<Batch>

  /// How many examples there are.
  var count: Int { get }

  /// The batches of some passes over the examples, every pass in a new random order.
  ///
  /// - Parameters:
  ///   - size: examples in a batch; the last batch of a pass has what is left. `nil`: all in one.
  ///   - epochs: passes over the data.
  ///   - random: the same stream gives the same batches.
  /// - Returns: a sequence of `epochs` × ⌈count / size⌉ batches.
  func batches(of size: Int?, epochs: Int, shuffledBy random: RandomStream) -> Batches
}
