// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// Federated gradient descent: clients send one gradient over all of their examples, the server steps.
///
/// The baseline of the FedAvg paper: FedAvg with *E* = 1 and *B* = ∞ takes the same steps, up to rounding.
///
/// > H. B. McMahan, E. Moore, D. Ramage, S. Hampson, B. Aguera y Arcas.
/// > "Communication-Efficient Learning of Deep Networks from Decentralized Data." AISTATS 2017.
/// > [arXiv:1602.05629](https://arxiv.org/abs/1602.05629), section 2.
///
/// Notation follows the paper: *gₖ = ∇Fₖ(wₜ)*, and *wₜ₊₁ ← wₜ − η Σ nₖ/n gₖ*. What a client sends is *gₖ*
/// itself; the learning rate is the server's.
///
/// - Note: Deviations from the paper: none.
public struct FedSGD: FederatedAlgorithm, Hashable {
  public static let name = "fedsgd"

  /// η, the size of a step.
  public var learningRate: Float
  /// A factor to η, from round to round.
  public var schedule: LearningRateSchedule

  public init(learningRate: Float, schedule: LearningRateSchedule = .constant) {
    self.learningRate = learningRate
    self.schedule = schedule
  }

  public var localEpochs: Int { 1 }

  /// There is no part of one gradient.
  public var acceptsPartialWork: Bool { false }

  public func clientUpdate<Problem: Objective>(
    _ client: inout Client<NoState, Problem>, from w: ParameterVector
  ) -> Weighted<ParameterVector> {
    var g = ParameterVector(count: w.count)
    for everything in client.batches(of: nil, epochs: 1) {
      client.gradient(at: w, on: everything, into: &g)  // gₖ ← ∇Fₖ(wₜ)
    }
    return Weighted(g, by: client.exampleCount)
  }

  public func serverUpdate(_ server: inout Server<NoState>, with mean: ParameterVector) {
    let rate = learningRate * schedule.factor(atRound: server.round)
    server.model.update(with: mean) { w, g in w - rate * g }  // wₜ₊₁ ← wₜ − η Σ nₖ/n gₖ
  }

  public func validated() throws(AlgorithmError) -> FedSGD {
    try checkRate(of: Self.name, learningRate, schedule)
    return self
  }
}
