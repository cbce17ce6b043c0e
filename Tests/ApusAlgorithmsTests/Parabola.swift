// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusNumerics

/// f(x) = a/2 · Σᵢ (xᵢ − (i + 1) · b)², averaged over the b of a batch: a problem with an answer.
struct Parabola: Objective {
  /// A client's b, an example each.
  struct Targets: LocalExamples {
    var values: [Float]
    var count: Int { values.count }

    func batches(of size: Int?, epochs: Int, shuffledBy random: RandomStream) -> [[Float]] {
      (0..<epochs).flatMap { epoch in
        var (stream, order) = (random.split(epoch), values)
        stream.shuffle(&order)
        let size = size ?? max(order.count, 1)
        return stride(from: 0, to: order.count, by: size).map {
          Array(order[$0..<min($0 + size, order.count)])
        }
      }
    }
  }
  typealias Examples = Targets

  /// a, which is not 0.
  var curvature: Float
  /// Whether a step is computed as a model with fused kernels would: equal, but for rounding.
  var isFused = false

  init(curvature: Float, isFused: Bool = false) {
    self.curvature = curvature
    self.isFused = isFused
  }

  mutating func gradient(
    at x: ParameterVector, on batch: [Float], into gradient: inout ParameterVector
  ) -> Double {
    let mean = batch.reduce(0, +) / Float(batch.count)
    for i in 0..<x.count { gradient[i] = curvature * (x[i] - Float(i + 1) * mean) }
    return loss(at: x, on: batch)
  }

  mutating func descend(_ x: inout ParameterVector, on batch: [Float], rate: Float) -> Double {
    let before = loss(at: x, on: batch)
    let mean = batch.reduce(0, +) / Float(batch.count)
    for i in 0..<x.count {
      let distance = x[i] - Float(i + 1) * mean
      x[i] -= isFused ? (rate * curvature) * distance : rate * (curvature * distance)
    }
    return before
  }

  private func loss(at x: ParameterVector, on batch: [Float]) -> Double {
    var sum = 0.0
    for b in batch {
      for i in 0..<x.count {
        let distance = Double(x[i]) - Double(i + 1) * Double(b)
        sum += Double(curvature) / 2 * distance * distance
      }
    }
    return sum / Double(batch.count)
  }
}

/// A federation of parabolas, all of whose clients take part in every round.
struct Federation<Algorithm: FederatedAlgorithm> where Algorithm.ClientState == NoState {
  var algorithm: Algorithm
  var clients: [(problem: Parabola, targets: [Float])]
  var server: Server<Algorithm.ServerState>

  init(
    _ algorithm: Algorithm, clients: [(problem: Parabola, targets: [Float])],
    parameterCount: Int = 1
  ) {
    self.algorithm = algorithm
    self.clients = clients
    server = Server(
      model: ParameterVector(count: parameterCount),
      state: algorithm.makeServerState(parameterCount: parameterCount))
  }

  func client(_ index: Int, epochLimit: Int? = nil) -> Client<NoState, Parabola> {
    Client(
      state: NoState(), objective: clients[index].problem,
      examples: Parabola.Targets(values: clients[index].targets), round: server.round,
      epochLimit: epochLimit,
      random: RandomStream(seed: 5).split(server.round).split(index))
  }

  func update(_ index: Int, epochLimit: Int? = nil) throws -> Weighted<Algorithm.Update> {
    var client = client(index, epochLimit: epochLimit)
    return try algorithm.clientUpdate(&client, from: algorithm.broadcast(from: server))
  }

  mutating func run(rounds: Int) throws { try run(rounds: rounds, by: WeightedMean()) }

  mutating func run(rounds: Int, by rule: some AggregationRule<Algorithm.Update>) throws {
    for _ in 0..<rounds {
      let updates = try clients.indices.map { try update($0) }
      let mean = try rule.aggregate(
        updates, within: .init(coordinate: 64, weight: 1000, contributions: 100))
      algorithm.serverUpdate(&server, with: mean)
      server.round += 1
    }
  }
}

/// Curvatures 1 and 10, optima 0 and 1, one example each: the mean's optimum is 10/11.
let twoParabolas: [(problem: Parabola, targets: [Float])] = [
  (Parabola(curvature: 1), [0]), (Parabola(curvature: 10), [1]),
]
