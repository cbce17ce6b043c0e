// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// FedAvg with a spring: local steps are pulled back to the model that the round began with, so that
/// clients with different data, or time for different amounts of work, do not drift apart.
///
/// > T. Li, A. K. Sahu, M. Zaheer, M. Sanjabi, A. Talwalkar, V. Smith.
/// > "Federated Optimization in Heterogeneous Networks." MLSys 2020.
/// > [arXiv:1812.06127](https://arxiv.org/abs/1812.06127), Algorithm 2.
///
/// Notation follows the paper: client *k* approximately minimizes
/// *hₖ(w; wᵗ) = Fₖ(w) + μ/2 ‖w − wᵗ‖²*, starting at *wᵗ*, the round's model.
///
/// - Note: Deviations from the paper: those of its experiments from its Algorithm 2, which is what
///   everybody compares with. Clients are chosen uniformly and weighted by their example counts (Algorithm 2
///   chooses in proportion to them and averages uniformly; say so with ``UniformMean``). How inexactly a
///   client solves (*γ*) is given as epochs of gradient steps. And as ``FedAvg`` deviates.
public struct FedProx: FederatedAlgorithm, Hashable {
  public static let name = "fedprox"

  /// E, passes over a client's examples.
  public var localEpochs: Int
  /// nil for all of a client's examples in one batch.
  public var batchSize: Int?
  /// η, the size of a step.
  public var learningRate: Float
  /// μ, at least 0; with 0 the round is FedAvg's, bit for bit, but for the partial work that it keeps.
  public var proximalStrength: Float
  /// Takes the local steps; begins afresh in every round.
  public var optimizer: OptimizerChoice
  /// A factor to η, from round to round.
  public var schedule: LearningRateSchedule

  public init(
    localEpochs: Int, batchSize: Int?, learningRate: Float, proximalStrength: Float,
    optimizer: OptimizerChoice = .sgd(), schedule: LearningRateSchedule = .constant
  ) {
    self.localEpochs = localEpochs
    self.batchSize = batchSize
    self.learningRate = learningRate
    self.proximalStrength = proximalStrength
    self.optimizer = optimizer
    self.schedule = schedule
  }

  /// What stragglers managed is an inexact solution, and welcome.
  public var acceptsPartialWork: Bool { true }

  public func clientUpdate<Problem: Objective>(
    _ client: inout Client<NoState, Problem>, from x: ParameterVector
  ) -> Weighted<ParameterVector> {
    if proximalStrength == 0 { return withoutSpring.clientUpdate(&client, from: x) }
    let (rate, mu) = (learningRate * schedule.factor(atRound: client.round), proximalStrength)
    var w = x  // w ← wᵗ
    var g = ParameterVector(count: x.count)
    if optimizer.isPlain {
      for batch in client.batches(of: batchSize, epochs: localEpochs) {
        client.gradient(at: w, on: batch, into: &g)  // g ← ∇Fₖ(w; batch)
        w.update(with: g, x) { w, g, x in
          w - rate * (g + mu * (w - x))  // w ← w − η (g + μ (w − wᵗ))
        }
      }
    } else {
      var optimizer = Optimizer(optimizer, parameterCount: x.count)
      for batch in client.batches(of: batchSize, epochs: localEpochs) {
        client.gradient(at: w, on: batch, into: &g)
        g.update(with: w, x) { g, w, x in g + mu * (w - x) }  // g ← ∇hₖ(w; wᵗ)
        optimizer.step(&w, with: g, rate: rate)
      }
    }
    w.update(with: x) { w, x in w - x }
    return Weighted(w, by: client.exampleCount)
  }

  public func serverUpdate(_ server: inout Server<NoState>, with mean: ParameterVector) {
    server.model.update(with: mean) { w, delta in w + delta }
  }

  public func validated() throws(AlgorithmError) -> FedProx {
    try checkLocalWork(
      of: Self.name, localEpochs: localEpochs, batchSize: batchSize, learningRate: learningRate,
      optimizer: optimizer, schedule: schedule)
    try AlgorithmError.check(
      proximalStrength >= 0 && proximalStrength.isFinite, Self.name, "proximalStrength",
      is: proximalStrength, expected: "a finite number, at least 0")
    return self
  }

  /// With no spring there is nothing that ``FedAvg`` does not do, in a step that may be fused.
  private var withoutSpring: FedAvg {
    FedAvg(
      localEpochs: localEpochs, batchSize: batchSize, learningRate: learningRate,
      optimizer: optimizer, schedule: schedule)
  }
}
