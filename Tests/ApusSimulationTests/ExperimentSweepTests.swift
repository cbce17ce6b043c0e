// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OwnThreads
import Testing

@testable import ApusSimulation

/// Grids of runs that really run.
@Suite(.ownThread) struct ExperimentSweepTests {
  static let recipe = """
    {
      name: "swept", model: "logistic", data: { set: "digits", split: "iid", clients: 10 },
      algorithm: { fedavg: { localEpochs: 1, batchSize: 20, learningRate: 0.1 } },
      cohort: { size: 4 }, rounds: 3, stop: { accuracy: 0.99 },
    }
    """

  private func sweep(_ rates: [String], seeds: [UInt64] = [1, 2], in scratch: Scratch) throws
    -> Sweep
  {
    let axis = SweepGrid.Axis(key: "algorithm.fedavg.learningRate", values: rates)
    return Sweep(
      recipeFile: try scratch.write(Self.recipe, to: "recipe.json5"), grid: SweepGrid([axis]),
      seeds: seeds, directory: scratch.path("runs"))
  }

  /// What a sweep told.
  private final class Story {
    var begun: [(title: String, seed: UInt64, startRound: Int)] = []
    var roundCount = 0
    func note(_ event: Sweep.Event) {
      switch event {
      case .runBegins(let settings, let seed, let run):
        begun.append((settings.title, seed, run.startRound))
      case .round: roundCount += 1
      case .runEnds: break
      }
    }
  }

  @Test("A sweep runs every combination with every seed, and a diverged one is a result")
  func sweeps() throws {
    let scratch = try Scratch()
    let story = Story()
    let sweep = try sweep(["0.05", "1e9", "0.2"], in: scratch)
    let rows = try #require(
      try sweep.run(
        options: SmallRun.options(), stopRequested: { false }, onEvent: story.note))
    #expect(
      rows.map(\.settings.title) == ["learningRate=0.05", "learningRate=1e9", "learningRate=0.2"])
    #expect(rows.map { $0.summaries.map(\.seed) } == [[1, 2], [1, 2], [1, 2]])
    #expect(rows[1].summaries.allSatisfy { $0.outcome == .diverged && $0.rounds == 0 })
    #expect(rows[1].statistic(.bestAccuracy) == nil)
    for row in [rows[0], rows[2]] {
      #expect(row.summaries.allSatisfy { $0.outcome == .completed && $0.rounds == 3 })
      let accuracies = row.summaries.compactMap(\.finalAccuracy)
      #expect(abs((row.statistic(.finalAccuracy)?.mean ?? 0) - accuracies.reduce(0, +) / 2) < 1e-12)
    }
    #expect(Set(rows.flatMap(\.summaries).map(\.modelDigest)).count == 6)
    #expect(
      rows[0].directories == [1, 2].map { "\(scratch.path("runs"))/learningRate=0.05-seed\($0)" })
    // The value of the grid is in the run, and one run alone gives the same.
    let alone = try SmallRun.run(
      try Recipe(
        contentsOf: sweep.recipeFile,
        setting: ["algorithm.fedavg.learningRate=0.2", "seed=2"]), in: scratch)
    #expect(alone.summary.modelDigest == rows[2].summaries[1].modelDigest)
    // Round 0 and three more of four runs, round 0 alone of two.
    #expect(story.roundCount == 4 * 4 + 2)
  }

  @Test("A sweep that was stopped goes on where it was, and runs nothing twice")
  func goesOn() throws {
    let scratch = try Scratch()
    let sweep = try sweep(["0.05", "0.2"], in: scratch)
    let (first, second) = (Story(), Story())
    let stop = StopAfter(22)
    let stopped = try sweep.run(
      options: SmallRun.options(), stopRequested: { stop.isRequested() }, onEvent: first.note)
    #expect(stopped == nil)
    #expect(first.begun.count == 2 && first.roundCount < 8)
    // A kill between two runs: the next one's directory is there, its recipe not yet.
    try FileManager.default.createDirectory(
      atPath: scratch.path("runs/learningRate=0.2-seed1/checkpoint"),
      withIntermediateDirectories: true)
    let rows = try #require(
      try sweep.run(options: SmallRun.options(), stopRequested: { false }, onEvent: second.note))
    #expect(second.begun.map(\.title) == [0.05, 0.05, 0.2, 0.2].map { "learningRate=\($0)" })
    #expect(first.roundCount + second.roundCount == 4 * 4)

    let fresh = try Scratch()
    let whole = try #require(
      try self.sweep(["0.05", "0.2"], in: fresh).run(
        options: SmallRun.options(), stopRequested: { false }, onEvent: { _ in }))
    #expect(
      rows.map { $0.summaries.map(\.modelDigest) } == whole.map { $0.summaries.map(\.modelDigest) })
  }

  @Test("A sweep never takes a run of another recipe for its own, and reads all values first")
  func refusesForeignRuns() throws {
    let scratch = try Scratch()
    let wrong = try sweep(["0.1", "-1"], in: scratch)
    var error = #expect(throws: SimulationError.self) {
      _ = try wrong.run(options: SmallRun.options(), stopRequested: { false }, onEvent: { _ in })
    }
    #expect(error?.code == .invalidRecipe)
    #expect(!FileManager.default.fileExists(atPath: wrong.directory))

    var sweep = try sweep(["0.1"], seeds: [1], in: scratch)
    _ = try sweep.run(options: SmallRun.options(), stopRequested: { false }, onEvent: { _ in })
    sweep.overrides = ["rounds=2"]
    error = #expect(throws: SimulationError.self) {
      _ = try sweep.run(options: SmallRun.options(), stopRequested: { false }, onEvent: { _ in })
    }
    #expect(error?.code == .outputExists)
    #expect(error?.message.contains("learningRate=0.1-seed1 has a run of another recipe") == true)
  }
}
