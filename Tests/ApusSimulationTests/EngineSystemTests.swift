// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusNumerics
import ApusTraining
import Foundation
import OwnThreads
import Testing

@testable import ApusSimulation

/// Who takes part, and what the field does to them.
@Suite(.ownThread) struct EngineSystemTests {
  /// One gradient a client and hardly any measuring: many rounds in little time.
  private static func manyRounds(_ rounds: Int, clients: Int, cohort: Int) -> Recipe {
    var recipe = SmallRun.recipe(
      .fedSGD(FedSGD(learningRate: 0.01)), clients: clients, cohort: cohort, rounds: rounds)
    recipe.evaluate.every = rounds
    return recipe
  }

  @Test("Clients are drawn without replacement, each as often as any other")
  func samplesFairly() throws {
    let scratch = try Scratch()
    let (rounds, clients, cohort) = (400, 40, 8)
    let run = try SmallRun.run(
      Self.manyRounds(rounds, clients: clients, cohort: cohort), in: scratch, logsClients: true)
    let lines = try run.clientLines()
    #expect(lines.count == rounds * cohort)
    var counts = [Int](repeating: 0, count: clients)
    for round in Dictionary(grouping: lines, by: \.round).values {
      #expect(Set(round.map(\.client)).count == cohort)
      for line in round { counts[line.client] += 1 }
    }
    // Σ (count − mean)² / (variance of one count), 39 degrees of freedom: 99.9 % are below 73.
    let share = Double(cohort) / Double(clients)
    let (mean, variance) = (Double(rounds) * share, Double(rounds) * share * (1 - share))
    let spread = counts.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / variance
    #expect(spread * Double(clients - 1) / Double(clients) < 73)
    #expect(spread > 10, "The counts are more even than chance makes them.")
    // What one round draws says nothing of the next: of 8 clients, 8 × 8 / 40 come again.
    let members = Dictionary(grouping: lines, by: \.round).mapValues { Set($0.map(\.client)) }
    let again = (1..<rounds).reduce(0) { sum, round in
      sum + (members[round] ?? []).intersection(members[round + 1] ?? []).count
    }
    #expect(abs(Double(again) / Double(rounds - 1) - 1.6) < 0.25)
  }

  @Test("FedAvg loses stragglers, FedProx keeps what they managed, from 1 epoch to all")
  func keepsStragglers() throws {
    let scratch = try Scratch()
    var recipe = SmallRun.recipe(
      .fedProx(FedProx(localEpochs: 4, batchSize: nil, learningRate: 0.1, proximalStrength: 1)),
      clients: 20, cohort: 10, rounds: 12)
    recipe.system.stragglerFraction = 0.5
    let kept = try SmallRun.run(recipe, in: scratch, logsClients: true)
    let trained = kept.records.dropFirst()
    #expect(trained.allSatisfy { $0.clients == 10 && $0.dropped == 0 })
    // Whole batches: a step an epoch. Five of ten are stragglers, some of whom manage everything.
    let steps = try kept.clientLines().map(\.steps)
    #expect(Set(steps) == [1, 2, 3, 4])
    for epochs in 1...3 {
      let share = Double(steps.count { $0 == epochs }) / 60
      #expect(abs(share - 0.25) < 0.17, "\(epochs) epochs: \(share)")
    }
    #expect(steps.count { $0 == 4 } >= 60)

    recipe.algorithm = .fedAvg(FedAvg(localEpochs: 4, batchSize: nil, learningRate: 0.1))
    let lost = try SmallRun.run(recipe, in: scratch, logsClients: true)
    #expect(lost.records.dropFirst().allSatisfy { $0.clients == 5 && $0.dropped == 5 })
    #expect(try lost.clientLines().allSatisfy { $0.steps == 4 })
  }

  @Test("As many clients drop out as the recipe says")
  func dropsOut() throws {
    let scratch = try Scratch()
    var recipe = Self.manyRounds(100, clients: 40, cohort: 20)
    recipe.system.dropOutRate = 0.3
    let records = try SmallRun.run(recipe, in: scratch).records.dropFirst()
    #expect(records.allSatisfy { $0.clients + $0.dropped == 20 })
    // 2,000 invitations: a standard deviation is 1 %.
    let rate = Double(records.reduce(0) { $0 + $1.dropped }) / 2000
    #expect(abs(rate - 0.3) < 0.04)
    #expect(Set(records.map(\.dropped)).count > 4, "It is a rate, not a number.")
  }

  @Test("Over-selection invites more, and takes the first that come")
  func overSelects() throws {
    let scratch = try Scratch()
    var recipe = Self.manyRounds(30, clients: 40, cohort: 10)
    recipe.system.overSelection = 1.5
    recipe.system.dropOutRate = 0.2
    let run = try SmallRun.run(recipe, in: scratch, logsClients: true)
    let modelBytes = run.summary.parameterCount * 4
    for record in run.records.dropFirst() {
      #expect(record.bytesDown == 15 * modelBytes && record.clients <= 10)
      #expect(record.bytesUp == record.clients * modelBytes)
    }
    #expect(run.records.count { $0.clients == 10 } > 20)
    // Whoever came first is chance, not the order of the clients' numbers.
    let members = try run.clientLines().map(\.client)
    #expect(Set(members.filter { $0 >= 35 }).count == 5)
  }

  @Test("A round without a quorum is abandoned, and the model stays what it was")
  func abandonsRounds() throws {
    let scratch = try Scratch()
    var recipe = SmallRun.recipe(rounds: 6)
    recipe.system.dropOutRate = 0.5
    recipe.system.quorum = 1
    let run = try SmallRun.run(recipe, in: scratch)
    #expect(run.summary.outcome == .completed && run.summary.rounds == 6)
    #expect(run.records.dropFirst().allSatisfy { $0.clients == 0 && $0.examples == 0 })
    #expect(Set(run.records.map(\.loss)).count == 1)
    let log = try String(contentsOfFile: run.directory + "/log.txt", encoding: .utf8)
    #expect(log.contains("Round 1 is abandoned: quorum-missed"), "\(log)")

    recipe.system.dropOutRate = 0.15
    let mixed = try SmallRun.run(recipe, in: scratch).records
    for (before, after) in zip(mixed, mixed.dropFirst()) {
      #expect(after.clients == 5 || after.clients == 0)
      #expect((after.loss == before.loss) == (after.clients == 0))
    }
    #expect(Set(mixed.dropFirst().map(\.clients)) == [0, 5])
  }
}
