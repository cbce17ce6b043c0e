// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// Federated averaging: clients take many local steps, the server averages where they arrive.
///
/// > H. B. McMahan, E. Moore, D. Ramage, S. Hampson, B. Aguera y Arcas.
/// > "Communication-Efficient Learning of Deep Networks from Decentralized Data." AISTATS 2017.
/// > [arXiv:1602.05629](https://arxiv.org/abs/1602.05629), Algorithm 1.
///
/// Notation follows the paper: *w* is the model, *B* the local batch size, *E* the number of local epochs,
/// *η* the learning rate, *nₖ* the number of client *k*'s examples.
///
/// - Note: Deviations from the paper: a client sends *wᵏ − wₜ* rather than *wᵏ*, and the server adds the
///   mean of these, weighted by *nₖ* over the clients that took part (the paper's sum over all *k* with
///   *nₖ/n* leaves open what holds for a sample); batches are drawn anew in every epoch.
public struct FedAvg: FederatedAlgorithm, Hashable {
  public static let name = "fedavg"

  /// E, passes over a client's examples.
  public var localEpochs: Int
  /// B; nil for all of a client's examples in one batch (the paper's ∞).
  public var batchSize: Int?
  /// η, the size of a step.
  public var learningRate: Float
  /// Takes the local steps; begins afresh in every round.
  public var optimizer: OptimizerChoice
  /// A factor to η, from round to round.
  public var schedule: LearningRateSchedule

  public init(
    localEpochs: Int, batchSize: Int?, learningRate: Float, optimizer: OptimizerChoice = .sgd(),
    schedule: LearningRateSchedule = .constant
  ) {
    self.localEpochs = localEpochs
    self.batchSize = batchSize
    self.learningRate = learningRate
    self.optimizer = optimizer
    self.schedule = schedule
  }

  /// Clients that did less than asked for are lost, as FedProx's authors read this paper.
  public var acceptsPartialWork: Bool { false }

  public func clientUpdate<Problem: Objective>(
    _ client: inout Client<NoState, Problem>, from x: ParameterVector
  ) -> Weighted<ParameterVector> {
    let rate = learningRate * schedule.factor(atRound: client.round)
    var w = x  // w ← wₜ
    if optimizer.isPlain {
      for batch in client.batches(of: batchSize, epochs: localEpochs) {  // E times
        client.descend(&w, on: batch, rate: rate)  // w ← w − η ∇ℓ(w; b)
      }
    } else {
      var g = ParameterVector(count: x.count)
      var optimizer = Optimizer(optimizer, parameterCount: x.count)
      for batch in client.batches(of: batchSize, epochs: localEpochs) {
        client.gradient(at: w, on: batch, into: &g)  // g ← ∇ℓ(w; b)
        optimizer.step(&w, with: g, rate: rate)
      }
    }
    w.update(with: x) { w, x in w - x }
    return Weighted(w, by: client.exampleCount)  // wᵏ − wₜ, by nₖ
  }

  public func serverUpdate(_ server: inout Server<NoState>, with mean: ParameterVector) {
    server.model.update(with: mean) { w, delta in w + delta }  // wₜ₊₁ ← Σ nₖ/n wᵏ
  }

  public func validated() throws(AlgorithmError) -> FedAvg {
    try checkLocalWork(
      of: Self.name, localEpochs: localEpochs, batchSize: batchSize, learningRate: learningRate,
      optimizer: optimizer, schedule: schedule)
    return self
  }
}
