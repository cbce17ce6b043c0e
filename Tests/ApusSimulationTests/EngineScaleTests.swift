// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusCatalog
import ApusData
import ApusNumerics
import ApusRounds
import ApusTraining
import Foundation
import OwnThreads
import Synchronization
import Testing

@testable import ApusSimulation

/// What a million clients cost: the same as a thousand.
@Suite(.ownThread) struct EngineScaleTests {
  private static func recipe(clients: Int) -> Recipe {
    var recipe = SmallRun.recipe(cohort: 10, rounds: 2)
    recipe.data = .init(set: "synthetic-on-demand", split: .by("device"), clients: clients)
    recipe.evaluate.clients = 5
    return recipe
  }

  @Test("Only clients of the cohort are ever looked at")
  func touchesOnlyTheCohort() throws {
    let asked = Mutex<[Int]>([])
    let made = SyntheticData(alpha: 1, beta: 1).federatedOnDemand(devices: 1_000_000, seed: 1)
    let data = FederatedDataset(
      "counted", clientCount: made.clientCount, centralTest: made.centralTest,
      largestTrainingCount: made.largestTrainingCount
    ) { client in
      asked.withLock { $0.append(client) }
      return made.client(client)
    }
    let streams = RunStreams(seed: 1)
    let graph = try Graph(tracing: Sequential { Dense(10) }, input: [60])
    let worker = try Worker(graph, loss: .softmaxCrossEntropy, batchSize: 10)
    let setup = SimulationSetup(
      data: data, system: SystemModel(choice: .init(), streams: streams), streams: streams,
      policy: try RoundPolicy(goal: 10), team: WorkerTeam(threadCount: 1), workers: [worker],
      bounds: ExactSum.Bounds(coordinate: 4096, weight: 32, contributions: 10))
    let simulation = Simulation(
      FedAvg(localEpochs: 1, batchSize: 10, learningRate: 0.01), combinedBy: WeightedMean(),
      on: setup,
      startingAt: Server(model: worker.trainer.initialParameters(seed: 1), state: NoState()))
    for _ in 0..<3 {
      let outcome = try #require(try simulation.runRound(stopRequested: { false }))
      #expect(asked.withLock { $0.sorted() } == outcome.jobs.map(\.client))
      asked.withLock { $0 = [] }
    }
  }

  @Test("A run of a million clients takes no more memory than one of a thousand")
  func takesNoMemory() async {
    // In a process of its own, whose memory nobody else uses.
    await #expect(processExitsWith: .success) {
      func peak() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return try #require(line?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
      }
      let scratch = try Scratch()
      _ = try SmallRun.run(EngineScaleTests.recipe(clients: 1000), in: scratch)
      let before = try peak()
      let run = try SmallRun.run(EngineScaleTests.recipe(clients: 1_000_000), in: scratch)
      #expect(run.records.count == 3 && run.records[2].clients == 10)
      #expect(run.records[2].clientAccuracy?.clients == 5)
      // kB: one byte for each client would be 1,000.
      let growth = try peak() - before
      #expect(growth < 900, "\(growth) kB")
    }
  }

  @Test("A round in which very many take part takes some bytes for each of them")
  func takesBytesForEach() async {
    await #expect(processExitsWith: .success) {
      func peak() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return try #require(line?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
      }
      // Everybody has the same single example.
      let made = SyntheticData(alpha: 1, beta: 1).federatedOnDemand(devices: 1, seed: 1)
      let one = ClientDataset(made.client(0).train.table, indices: [0])
      let graph = try Graph(tracing: Sequential { Dense(10) }, input: [60])
      let streams = RunStreams(seed: 1)
      func run(_ count: Int) throws {
        let data = FederatedDataset(
          "one", clientCount: count, centralTest: nil, largestTrainingCount: 1
        ) { _ in ClientExamples(train: one, test: one) }
        let worker = try Worker(graph, loss: .softmaxCrossEntropy, batchSize: 1)
        let setup = SimulationSetup(
          data: data, system: SystemModel(choice: .init(), streams: streams), streams: streams,
          policy: try RoundPolicy(goal: count), team: WorkerTeam(threadCount: 1),
          workers: [worker],
          bounds: ExactSum.Bounds(coordinate: 4096, weight: 1, contributions: count))
        let simulation = Simulation(
          FedAvg(localEpochs: 1, batchSize: 1, learningRate: 0.01), combinedBy: WeightedMean(),
          on: setup,
          startingAt: Server(model: worker.trainer.initialParameters(seed: 1), state: NoState()))
        let outcome = try simulation.runRound(stopRequested: { false })
        #expect(outcome?.report?.folded == count)
      }
      try run(10_000)
      let before = try peak()
      try run(110_000)
      // kB for 100,000 more: 8 bytes for the number, 1 for the standing, 1 for who is wanted.
      let growth = try peak() - before
      #expect(growth < 20 * 100, "\(growth) kB")
    }
  }
}
