// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusNumerics
import Testing

/// Three clients of different sizes and curvatures.
private func threeParabolas(isFused: Bool = false) -> [(problem: Parabola, targets: [Float])] {
  [
    (Parabola(curvature: 0.7, isFused: isFused), [0.3, -1.1, 0.8, 0.25, 1.7]),
    (Parabola(curvature: 3, isFused: isFused), [2.1, 1.9]),
    (Parabola(curvature: 1.3, isFused: isFused), [-0.4, 0.1, 0.9]),
  ]
}

@Suite struct EquivalenceTests {
  @Test("FedAvg with one epoch of one batch takes FedSGD's steps, up to rounding")
  func fedSGD() throws {
    var averaging = Federation(
      FedAvg(localEpochs: 1, batchSize: nil, learningRate: 0.1), clients: threeParabolas(),
      parameterCount: 4)
    var descending = Federation(
      FedSGD(learningRate: 0.1), clients: threeParabolas(), parameterCount: 4)
    for _ in 0..<20 {
      try averaging.run(rounds: 1)
      try descending.run(rounds: 1)
      for i in 0..<4 {
        #expect(abs(averaging.server.model[i] - descending.server.model[i]) < 2e-6)
      }
    }
    #expect(averaging.server.model[0] != 0)
  }

  @Test(
    "FedProx with no spring is FedAvg, bit for bit, whatever takes the steps",
    arguments: [
      OptimizerChoice.sgd(), .sgd(momentum: 0.9), .sgd(weightDecay: 0.01), .adam(), .adamW(),
    ], [false, true])
  func noSpring(optimizer: OptimizerChoice, isFused: Bool) throws {
    let clients = threeParabolas(isFused: isFused)
    var averaging = Federation(
      FedAvg(localEpochs: 3, batchSize: 2, learningRate: 0.05, optimizer: optimizer),
      clients: clients, parameterCount: 9)
    var proximal = Federation(
      FedProx(
        localEpochs: 3, batchSize: 2, learningRate: 0.05, proximalStrength: 0,
        optimizer: optimizer), clients: clients, parameterCount: 9)
    try averaging.run(rounds: 5)
    try proximal.run(rounds: 5)
    #expect(averaging.server.model == proximal.server.model)
    #expect(averaging.server.model[0] != 0)
  }

  @Test("FedProx's plain step and its step by an optimizer agree, up to rounding")
  func plainStep() throws {
    // Weight decay of 1e-30 is none, but not plain.
    let models = try [OptimizerChoice.sgd(), .sgd(weightDecay: 1e-30)].map { optimizer in
      var federation = Federation(
        FedProx(
          localEpochs: 3, batchSize: 2, learningRate: 0.05, proximalStrength: 0.5,
          optimizer: optimizer), clients: threeParabolas(), parameterCount: 9)
      try federation.run(rounds: 5)
      return federation.server.model
    }
    for i in 0..<9 { #expect(abs(models[0][i] - models[1][i]) < 1e-5) }
  }

  @Test("Momentum begins afresh in every round")
  func freshMomentum() throws {
    var federation = Federation(
      FedAvg(
        localEpochs: 3, batchSize: nil, learningRate: 0.1, optimizer: .sgd(momentum: 0.9)),
      clients: [(Parabola(curvature: 1), [1])])
    try federation.run(rounds: 2)
    var x = 0.0
    for _ in 0..<2 {
      var velocity = 0.0
      for _ in 0..<3 {
        velocity = 0.9 * velocity + (x - 1)
        x -= 0.1 * velocity
      }
    }
    #expect(abs(Double(federation.server.model[0]) - x) < 1e-6)
  }

  @Test("The schedule multiplies the rate of the round, at clients and at FedSGD's server")
  func schedules() throws {
    let schedule = LearningRateSchedule.exponential(decay: 0.5)
    let problem: [(problem: Parabola, targets: [Float])] = [(Parabola(curvature: 1), [1])]
    var averaging = Federation(
      FedAvg(localEpochs: 1, batchSize: nil, learningRate: 0.5, schedule: schedule),
      clients: problem)
    var proximal = Federation(
      FedProx(
        localEpochs: 1, batchSize: nil, learningRate: 0.5, proximalStrength: 3,
        schedule: schedule), clients: problem)
    var descending = Federation(FedSGD(learningRate: 0.5, schedule: schedule), clients: problem)
    try averaging.run(rounds: 3)
    try proximal.run(rounds: 3)
    try descending.run(rounds: 3)
    // The way that is left: 1/2, then 3/4 and 7/8 of it.
    let expected: Float = 1 - 0.5 * 0.75 * 0.875
    for model in [averaging.server.model, proximal.server.model, descending.server.model] {
      #expect(abs(model[0] - expected) < 1e-6)
    }
  }
}
