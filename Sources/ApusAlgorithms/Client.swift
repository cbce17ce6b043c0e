// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// One client in one round: its examples, its objective and what it kept from earlier rounds.
public struct Client<State: Sendable, Problem: Objective> {
  /// What the algorithm keeps at the client between the rounds that it takes part in.
  public var state: State
  /// The model and its loss.
  public var objective: Problem
  public let examples: Problem.Examples
  /// Counted from 0.
  public let round: Int
  /// A straggler's: how many passes over its examples it manages, whatever it is asked for.
  public let epochLimit: Int?
  /// What is random in this client's round.
  public let random: RandomStream

  /// The losses of all steps so far, each a mean over its batch, added up.
  public private(set) var lossSum = 0.0
  /// How many gradients were computed.
  public private(set) var stepCount = 0

  /// - Parameters:
  ///   - state: what the client kept.
  ///   - objective: the model and its loss.
  ///   - examples: the client's own.
  ///   - round: counted from 0.
  ///   - epochLimit: at least 1; nil for a client that manages all of its work.
  ///   - random: the same stream gives the same batches.
  public init(
    state: State, objective: Problem, examples: Problem.Examples, round: Int,
    epochLimit: Int? = nil, random: RandomStream
  ) {
    precondition(epochLimit ?? 1 >= 1, "A client manages at least one epoch.")
    self.state = state
    self.objective = objective
    self.examples = examples
    self.round = round
    self.epochLimit = epochLimit
    self.random = random
  }

  public var exampleCount: Int { examples.count }

  /// The mean loss of the steps so far, each at the point where it was taken; nil before the first.
  ///
  /// Steps count alike, so a short last batch counts as much as a full one.
  public var trainingLoss: Double? { stepCount == 0 ? nil : lossSum / Double(stepCount) }

  /// The batches of some passes over the client's examples, no more passes than it manages.
  ///
  /// - Parameters:
  ///   - size: examples in a batch; the last one of a pass has what is left. nil: all in one.
  ///   - epochs: passes asked for; ``epochLimit`` may cut them.
  /// - Returns: the same batches every time it is called.
  public func batches(of size: Int?, epochs: Int) -> Problem.Examples.Batches {
    examples.batches(of: size, epochs: min(epochs, epochLimit ?? epochs), shuffledBy: random)
  }

  /// Computes the mean loss of the batch at `x`, and its gradient.
  ///
  /// - Parameters:
  ///   - x: where.
  ///   - batch: of this client's examples.
  ///   - gradient: overwritten; as long as `x`.
  public mutating func gradient(
    at x: ParameterVector, on batch: Problem.Batch, into gradient: inout ParameterVector
  ) {
    lossSum += objective.gradient(at: x, on: batch, into: &gradient)
    stepCount += 1
  }

  /// One plain step of gradient descent, x ← x − rate · ∇f(x; batch), fused where the objective can.
  ///
  /// - Parameters:
  ///   - x: where; moved.
  ///   - batch: of this client's examples.
  ///   - rate: the learning rate.
  public mutating func descend(_ x: inout ParameterVector, on batch: Problem.Batch, rate: Float) {
    lossSum += objective.descend(&x, on: batch, rate: rate)
    stepCount += 1
  }
}
