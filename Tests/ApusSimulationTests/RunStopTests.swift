// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import OwnThreads
import Testing

@testable import ApusSimulation

/// Runs that end before their last round, and when a target counts as reached.
@Suite(.ownThread) struct RunStopTests {
  private static func crossing(_ target: Double, _ curve: [(Int, Double)]) -> Double? {
    var crossing = TargetCrossing(target: target)
    for (round, accuracy) in curve { crossing.observe(accuracy: accuracy, atRound: round) }
    return crossing.round
  }

  @Test("The crossing of a target is read as by hand")
  func readsCurves() throws {
    let curve = [(0, 0.1), (1, 0.5), (2, 0.4), (3, 0.45), (4, 0.9), (5, 0.2)]
    // On a measurement, between two, and on the segment after a dip: flat at 0.5 until round 3.
    #expect(Self.crossing(0.5, curve) == 1)
    #expect(abs(try #require(Self.crossing(0.3, curve)) - 0.5) < 1e-12)
    #expect(abs(try #require(Self.crossing(0.7, curve)) - 3.5) < 1e-12)
    #expect(Self.crossing(0.9, curve) == 4)
    #expect(Self.crossing(0.91, curve) == nil)
    // Reached before anything was learnt; never measured; measured every tenth round.
    #expect(Self.crossing(0.05, curve) == 0)
    #expect(Self.crossing(0.5, []) == nil)
    #expect(Self.crossing(0.5, [(0, 0), (10, 0.25), (20, 0.75)]) == 15)
    // A figure that is none changes nothing, and what comes later never takes a crossing back.
    #expect(Self.crossing(0.5, [(0, 0), (1, .nan), (2, 1)]) == 1)
    #expect(Self.crossing(0.5, [(2, 0.6), (3, 0.1), (4, 0.7)]) == 2)
  }

  @Test("A run stops at the first measurement that reaches its target")
  func stopsAtAccuracy() throws {
    let scratch = try Scratch()
    var recipe = SmallRun.recipe(rounds: 40)
    let curve = try SmallRun.run(recipe, in: scratch).records
    recipe.stop.accuracy = 0.6
    let run = try SmallRun.run(recipe, in: scratch)
    #expect(run.summary.outcome == .stopped && run.summary.rounds < 40)
    let first = try #require(curve.first { $0.accuracy ?? 0 >= 0.6 }?.round)
    #expect(run.summary.rounds == first)
    #expect(run.records == Array(curve.prefix(first + 1)))
    #expect(run.summary.targetAccuracy == 0.6)
    let reached = try #require(run.summary.roundsToTarget)
    #expect(reached == TargetCrossing.round(ofReaching: 0.6, in: curve))
    #expect(reached > Double(first) - 1 && reached <= Double(first))
  }

  @Test("A run stops when its best accuracy has not risen for as many rounds as it has patience")
  func stopsByPatience() throws {
    let scratch = try Scratch()
    // Nothing is learnt at such a rate: the first measurement stays the best.
    var recipe = SmallRun.recipe(.fedSGD(FedSGD(learningRate: 1e-9)), rounds: 40)
    recipe.stop.patience = 4
    let run = try SmallRun.run(recipe, in: scratch)
    #expect(run.summary.outcome == .stopped && run.summary.rounds == 4)

    // Rounds that are not measured cannot have risen: patience is judged where accuracy is known.
    recipe.evaluate.every = 6
    let sparse = try SmallRun.run(recipe, in: scratch)
    #expect(sparse.summary.rounds == 6)
    #expect(sparse.records.last?.accuracy != nil)
  }

  @Test("A rise, however small, renews the patience")
  func renewsPatience() {
    var progress = RunProgress(.init(patience: 2))
    for (round, accuracy) in [0.1, 0.1, 0.11, 0.1, 0.12, 0.11].enumerated() {
      var record = RoundRecord(round: round)
      record.accuracy = accuracy
      progress.observe(record)
      #expect(progress.reasonToStop == nil, "round \(round)")
    }
    var record = RoundRecord(round: 6)
    record.accuracy = 0.12
    progress.observe(record)
    #expect(progress.reasonToStop?.contains("2 rounds") == true)
    #expect(progress.bestAccuracy == 0.12)
  }
}
