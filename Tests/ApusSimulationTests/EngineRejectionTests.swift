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
import Testing

@testable import ApusSimulation

/// Updates that cannot be counted.
@Suite(.ownThread) struct EngineRejectionTests {
  /// FedAvg, but for clients of 3, 5 or 7 examples, whose updates are spoiled.
  private struct Spoiled: FederatedAlgorithm {
    static let name = "spoiled"
    var honest = FedAvg(localEpochs: 1, batchSize: 4, learningRate: 0.1)
    var localEpochs: Int { 1 }
    var acceptsPartialWork: Bool { false }
    func validated() -> Spoiled { self }

    func clientUpdate<Problem: Objective>(
      _ client: inout Client<NoState, Problem>, from broadcast: ParameterVector
    ) throws -> Weighted<ParameterVector> {
      var update = honest.clientUpdate(&client, from: broadcast)
      switch client.exampleCount {
      case 3: update.value[17] = 1e9
      case 5: update.value[0] = .nan
      case 7: update.weight = 0
      case 9: throw AlgorithmError(.wrongLength, "This client has another model.")
      default: break
      }
      return update
    }

    func serverUpdate(_ server: inout Server<NoState>, with mean: ParameterVector) {
      honest.serverUpdate(&server, with: mean)
    }
  }

  /// Clients with so many examples each, all of them in every round.
  private func simulation(clients counts: [Int], threads: Int = 2) throws -> Simulation<Spoiled> {
    let table = try DataCatalog(environment: [:]).load("digits").train
    var next: Int32 = 0
    let rows = counts.map { count in
      defer { next += Int32(count) }
      return (next..<next + Int32(count)).map { $0 }
    }
    let graph = try Graph(
      tracing: Sequential {
        Flatten(); Dense(10)
      }, input: [8, 8, 1])
    let streams = RunStreams(seed: 1)
    let setup = SimulationSetup(
      data: FederatedDataset("rows", dividing: table, by: Partition(rows)),
      system: SystemModel(choice: .init(), streams: streams), streams: streams,
      policy: try RoundPolicy(goal: counts.count), team: WorkerTeam(threadCount: threads),
      workers: try (0..<threads).map { _ in
        try Worker(graph, loss: .softmaxCrossEntropy, batchSize: 4)
      },
      bounds: ExactSum.Bounds(coordinate: 4096, weight: 64, contributions: 16))
    let model = setup.workers[0].trainer.initialParameters(seed: 1)
    return Simulation(
      Spoiled(), combinedBy: WeightedMean(), on: setup,
      startingAt: Server(model: model, state: NoState()))
  }

  @Test("A refused update is counted with its reason and changes nothing", arguments: [1, 3])
  func refusesSpoiledUpdates(threads: Int) throws {
    let honest = try simulation(clients: [20, 31, 12])
    let mixed = try simulation(clients: [20, 31, 12, 3, 5, 7, 9], threads: threads)
    for round in 0..<3 {
      let (expected, outcome) = (
        try honest.runRound(stopRequested: { false }), try mixed.runRound(stopRequested: { false })
      )
      #expect(mixed.server.model.digest == honest.server.model.digest)
      #expect(mixed.server.round == round + 1)
      let report = try #require(outcome?.report)
      #expect(report.outcome == .committed && report.folded == 3 && report.rejected == 4)
      #expect(
        report.rejections == [
          "out-of-bounds": 1, "not-finite": 1, "weight-out-of-bounds": 1, "wrong-length": 1,
        ])
      #expect(expected?.report?.rejected == 0)
      let refused = try #require(outcome?.tally.rejections)
      #expect(refused.map(\.client) == [3, 4, 5, 6])
      // A message says what is wrong, never a number of the update.
      #expect(refused[0].message.contains("beyond the bound of 4096"))
      #expect(!refused[0].message.contains("1e+09") && !refused[0].message.contains("1000000000"))
    }
  }

  @Test("A round in which every update is refused leaves the model")
  func abandonsSpoiledRounds() throws {
    let spoiled = try simulation(clients: [7, 7, 9])
    let before = spoiled.server.model.digest
    let outcome = try #require(try spoiled.runRound(stopRequested: { false }))
    #expect(outcome.report?.outcome == .abandoned(.quorumMissed))
    #expect(spoiled.server.model.digest == before && spoiled.server.round == 1)
  }

  @Test("A round in which no update has numbers that can be counted is divergence")
  func noticesDivergence() throws {
    let spoiled = try simulation(clients: [3, 5, 3])
    let before = spoiled.server.model.digest
    let error = #expect(throws: SimulationError.self) {
      _ = try spoiled.runRound(stopRequested: { false })
    }
    #expect(error?.code == .diverged)
    let message = try #require(error?.message)
    #expect(message.contains("round 1") && message.contains("clients 0, 1, 2"), "\(message)")
    #expect(spoiled.server.model.digest == before && spoiled.server.round == 0)
  }

  @Test("Clients that have nothing to train on are refused in a run, and the log says so")
  func refusesEmptyClients() throws {
    let scratch = try Scratch()
    var recipe = SmallRun.recipe(clients: 60, cohort: 30, rounds: 2)
    recipe.data.split = .dirichlet(alpha: 0.01, minimum: 0)
    let run = try SmallRun.run(recipe, in: scratch, logsClients: true)
    let lines = try run.clientLines()
    let empty = lines.filter { $0.examples == 0 }
    #expect(!empty.isEmpty && empty.allSatisfy { $0.rejected != nil })
    #expect(lines.allSatisfy { ($0.rejected == nil) == ($0.examples > 0) })
    #expect(run.records.reduce(0) { $0 + $1.rejected } == empty.count)
    let log = try String(contentsOfFile: run.directory + "/log.txt", encoding: .utf8)
    #expect(log.contains("Round 1: client \(empty[0].client)'s update is refused"))
  }
}
