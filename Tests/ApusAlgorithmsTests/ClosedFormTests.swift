// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusNumerics
import Testing

// Two clients fᵢ(x) = aᵢ/2 (x − bᵢ)² with a = (1, 10), b = (0, 1), full participation, equal weights. The
// mean of the two is smallest at 10/11. Numbers are Float32, so limits hold to about 1e-6.

@Suite("Where the algorithms settle on two parabolas") struct ClosedFormTests {
  @Test("FedAvg with ten local steps of 0.05 settles at 0.71344217, off the optimum 0.90909091")
  func fedAvg() throws {
    var federation = Federation(
      FedAvg(localEpochs: 10, batchSize: nil, learningRate: 0.05), clients: twoParabolas)
    try federation.run(rounds: 60)
    // Σ (1 − (1 − ηaᵢ)ᴷ) bᵢ / Σ (1 − (1 − ηaᵢ)ᴷ)
    #expect(abs(Double(federation.server.model[0]) - 0.71344217) < 1e-6)
  }

  @Test("FedAvg with one local step settles at the optimum")
  func fedAvgOneStep() throws {
    var federation = Federation(
      FedAvg(localEpochs: 1, batchSize: nil, learningRate: 0.05), clients: twoParabolas)
    try federation.run(rounds: 100)
    #expect(abs(Double(federation.server.model[0]) - 10.0 / 11) < 1e-6)
  }

  /// Where FedProx settles.
  ///
  /// Local solves: 400 steps of 0.05 leave (1 − 0.05 (a + μ))⁴⁰⁰ < 2e-10 of the way to the local optimum,
  /// less than Float32 can show. So this is the limit for exact solves.
  private func settledFedProx(_ strength: Float) throws -> Double {
    var federation = Federation(
      FedProx(
        localEpochs: 400, batchSize: nil, learningRate: 0.05, proximalStrength: strength),
      clients: twoParabolas)
    try federation.run(rounds: 60)
    return Double(federation.server.model[0])
  }

  @Test(
    "FedProx with exact local solves settles where its formula says",
    arguments: zip([0.1, 1, 10], [0.521327, 0.645161, 0.846154]))
  func fedProx(strength: Float, limit: Double) throws {
    // Σ aᵢ/(aᵢ + μ) bᵢ / Σ aᵢ/(aᵢ + μ)
    #expect(abs(try settledFedProx(strength) - limit) < 5e-6)
  }

  @Test("A stronger spring means less bias, and never none")
  func bias() throws {
    let biases = try [0.1, 1, 10].map { 10.0 / 11 - (try settledFedProx($0)) }
    #expect(biases[0] > biases[1] && biases[1] > biases[2] && biases[2] > 0.06)
  }

  @Test("FedSGD settles at the optimum")
  func fedSGD() throws {
    var federation = Federation(FedSGD(learningRate: 0.1), clients: twoParabolas)
    try federation.run(rounds: 100)
    #expect(abs(Double(federation.server.model[0]) - 10.0 / 11) < 1e-6)
  }
}
