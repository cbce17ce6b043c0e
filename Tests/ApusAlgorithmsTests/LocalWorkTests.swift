// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusNumerics
import Testing

@Suite struct LocalWorkTests {
  private let fiveExamples: [(problem: Parabola, targets: [Float])] = [
    (Parabola(curvature: 1), [1, 2, 3, 4, 5])
  ]

  @Test("A client takes a step for every batch of every epoch, and measures the loss at each")
  func steps() throws {
    let algorithm = FedAvg(localEpochs: 3, batchSize: 2, learningRate: 0.1)
    let federation = Federation(algorithm, clients: fiveExamples)
    var client = federation.client(0)
    #expect(client.trainingLoss == nil)
    let update = algorithm.clientUpdate(&client, from: federation.server.model)
    #expect(client.stepCount == 9)
    #expect(update.weight == 5)

    // The same again, in Double.
    var (x, losses) = (0.0, 0.0)
    for batch in client.batches(of: 2, epochs: 3) {
      let n = Double(batch.count)
      losses += batch.reduce(0) { $0 + (x - Double($1)) * (x - Double($1)) } / (2 * n)
      x -= 0.1 * (x - Double(batch.reduce(0, +)) / n)
    }
    #expect(abs(Double(update.value[0]) - x) < 1e-6)
    #expect(abs(try #require(client.trainingLoss) - losses / 9) < 1e-6)
  }

  @Test("Batches are the same whenever asked for, and every epoch has every example once")
  func batches() {
    let federation = Federation(FedSGD(learningRate: 1), clients: fiveExamples)
    let client = federation.client(0)
    let batches = client.batches(of: 2, epochs: 2)
    #expect(batches == client.batches(of: 2, epochs: 2))
    #expect(batches.map(\.count) == [2, 2, 1, 2, 2, 1])
    #expect(batches.prefix(3).flatMap { $0 }.sorted() == [1, 2, 3, 4, 5])
    #expect(batches.suffix(3).flatMap { $0 }.sorted() == [1, 2, 3, 4, 5])
    #expect(client.batches(of: nil, epochs: 1).map(\.count) == [5])
  }

  @Test("A straggler does the first of its epochs, and FedProx takes what it did")
  func stragglers() throws {
    let all = Federation(
      FedProx(localEpochs: 4, batchSize: 2, learningRate: 0.1, proximalStrength: 1),
      clients: fiveExamples)
    var few = all
    few.algorithm.localEpochs = 2
    let partial = try all.update(0, epochLimit: 2)
    #expect(partial == (try few.update(0)))
    #expect(partial != (try all.update(0)))
    #expect(try all.update(0, epochLimit: 9) == all.update(0))
    #expect(all.algorithm.acceptsPartialWork)
    #expect(!FedAvg(localEpochs: 4, batchSize: 2, learningRate: 0.1).acceptsPartialWork)
  }

  @Test("A client without examples takes no step and weighs nothing")
  func noExamples() throws {
    let algorithm = FedAvg(localEpochs: 2, batchSize: 2, learningRate: 0.1)
    let federation = Federation(algorithm, clients: [(Parabola(curvature: 1), [])])
    var client = federation.client(0)
    let update = algorithm.clientUpdate(&client, from: ParameterVector([7]))
    #expect(update == Weighted(ParameterVector([0]), by: 0))
    #expect(client.stepCount == 0)
  }

  @Test("Clients weigh by their examples, or alike where the rule says so")
  func weighting() throws {
    // Steps of the whole way, so that every client's update is the mean of its own examples.
    let clients: [(problem: Parabola, targets: [Float])] = [
      (Parabola(curvature: 1), [0, 1, 2]), (Parabola(curvature: 1), [9]),
    ]
    let algorithm = FedAvg(localEpochs: 1, batchSize: nil, learningRate: 1)
    var weighted = Federation(algorithm, clients: clients)
    try weighted.run(rounds: 1)
    #expect(abs(weighted.server.model[0] - 3) < 1e-6)
    var uniform = Federation(algorithm, clients: clients)
    try uniform.run(rounds: 1, by: UniformMean())
    #expect(abs(uniform.server.model[0] - 5) < 1e-6)
  }

  @Test(
    "A hyperparameter outside of its range is refused by name",
    arguments: [
      (FedProx(localEpochs: 0, batchSize: 1, learningRate: 1, proximalStrength: 1), "localEpochs"),
      (FedProx(localEpochs: 1, batchSize: 0, learningRate: 1, proximalStrength: 1), "batchSize"),
      (FedProx(localEpochs: 1, batchSize: 1, learningRate: 0, proximalStrength: 1), "learningRate"),
      (
        FedProx(localEpochs: 1, batchSize: 1, learningRate: .nan, proximalStrength: 1),
        "learningRate"
      ),
      (
        FedProx(localEpochs: 1, batchSize: 1, learningRate: .infinity, proximalStrength: 1),
        "learningRate"
      ),
      (
        FedProx(localEpochs: 1, batchSize: 1, learningRate: 1, proximalStrength: -1),
        "proximalStrength"
      ),
      (
        FedProx(
          localEpochs: 1, batchSize: 1, learningRate: 1, proximalStrength: 1,
          optimizer: .sgd(momentum: 2)), "momentum"
      ),
      (
        FedProx(
          localEpochs: 1, batchSize: 1, learningRate: 1, proximalStrength: 1,
          schedule: .step(every: 0, factor: 0.5)), "every"
      ),
    ])
  func validation(algorithm: FedProx, key: String) throws {
    let error = #expect(throws: AlgorithmError.self) { try algorithm.validated() }
    #expect(error?.code == .invalidValue)
    #expect(error?.message.contains(key) == true)
    #expect(error?.message.hasPrefix("fedprox.") == true)
  }

  @Test("What is in range is what it was")
  func valid() throws {
    let averaging = FedAvg(localEpochs: 1, batchSize: nil, learningRate: 0.1)
    #expect(try averaging.validated() == averaging)
    let proximal = FedProx(localEpochs: 2, batchSize: 3, learningRate: 0.1, proximalStrength: 0)
    #expect(try proximal.validated() == proximal)
    #expect(try FedSGD(learningRate: 0.1).validated() == FedSGD(learningRate: 0.1))
    #expect(throws: AlgorithmError.self) { try FedSGD(learningRate: -1).validated() }
    #expect(throws: AlgorithmError.self) {
      try FedAvg(localEpochs: 0, batchSize: nil, learningRate: 0.1).validated()
    }
  }
}
