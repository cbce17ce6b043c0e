// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import ApusSimulation

/// Experiments as they are written, and what is made of what comes out.
@Suite struct ExperimentTests {
  static let text = """
    {
      title: "A title", source: "A paper, Table 1",
      cells: {
        "one": {
          set: { "algorithm.fedavg.localEpochs": 5, model: "logistic" },
          grid: { "algorithm.fedavg.learningRate": [0.1, .2], "data.split": ["iid", { shards: { perClient: 2 } }] },
          seeds: [1, 18446744073709551615],
        },
        two: {},
      },
      claims: [
        { cell: "one", metric: "roundsToTarget", atMost: 100, published: 87 },
        { cell: "one", metric: "roundsToTarget", over: "two", atLeast: 2 },
      ],
    }
    """

  private static func experiment(_ text: String = text) throws(SimulationError) -> Experiment {
    try Experiment(parsing: text.utf8, file: "e/experiment.json5", directory: "e")
  }

  private static func refusal(of text: String) -> String? {
    do {
      _ = try experiment(text)
      return nil
    } catch {
      return error.message
    }
  }

  @Test("An experiment says what it says")
  func reads() throws {
    let experiment = try Self.experiment()
    #expect(experiment.title == "A title" && experiment.source == "A paper, Table 1")
    #expect(experiment.recipeFile == "e/recipe.json5")
    let (one, two) = (experiment.cells[0], experiment.cells[1])
    #expect(one.name == "one" && two.name == "two")
    #expect(one.overrides == ["algorithm.fedavg.localEpochs=5", "model=\"logistic\""])
    #expect(one.seeds == [1, .max] && two.seeds == [1])
    #expect(
      one.grid.points.map(\.overrides) == [
        ["algorithm.fedavg.learningRate=0.1", "data.split=\"iid\""],
        ["algorithm.fedavg.learningRate=0.1", "data.split={ \"shards\": { \"perClient\": 2 } }"],
        ["algorithm.fedavg.learningRate=.2", "data.split=\"iid\""],
        ["algorithm.fedavg.learningRate=.2", "data.split={ \"shards\": { \"perClient\": 2 } }"],
      ])
    #expect(two.grid.points.map(\.overrides) == [[]])
    #expect(experiment.runCount == 9)
    #expect(experiment.claims[0].atMost == 100 && experiment.claims[0].published == 87)
    #expect(experiment.claims[1].over == "two" && experiment.claims[1].atLeast == 2)
  }

  @Test(
    "What is wrong in an experiment is told with its line, its key and what was expected",
    arguments: [
      ("title: \"A title\", ", "", "experiment.json5:1: title: missing", "given"),
      ("title:", "titel:", "experiment.json5:2: titel: unknown key", "mean title?"),
      ("source: \"A paper, Table 1\"", "source: 3", "2: source: 3", "text in quotes"),
      ("seeds: [1,", "seed: [1,", "7: cells.one.seed: unknown key", "mean seeds?"),
      ("seeds: [1,", "seeds: [-1,", "7: cells.one.seeds.0: -1", "whole number"),
      (
        "seeds: [1, 18446744073709551615]", "seeds: []", "7: cells.one.seeds: an empty array",
        "a seed"
      ),
      ("[0.1, .2]", "0.1", "6: cells.one.grid.algorithm.fedavg.learningRate: 0.1", "an array"),
      (
        "[0.1, .2]", "[]", "6: cells.one.grid.algorithm.fedavg.learningRate: an empty array",
        "a value"
      ),
      (
        "two:", "\"../two\":", "experiment.json5:9: cells.../two: \"../two\"",
        "directories carry it"
      ),
      (
        "cell: \"one\", metric: \"roundsToTarget\", atMost", "metric: \"roundsToTarget\", atMost",
        "12: claims.0.cell: missing", "given"
      ),
      (
        "cell: \"one\", metric: \"roundsToTarget\", atMost", "cell: \"on\", metric: \"x\", atMost",
        "12: claims.0.metric: \"x\"", "roundsToTarget, bestAccuracy"
      ),
      ("over: \"two\"", "over: \"three\"", "13: claims.1.over: \"three\"", "one or two"),
      ("atMost: 100, ", "", "12: claims.0: an object", "atMost or atLeast"),
      ("atLeast: 2", "atLeast: \"2\"", "13: claims.1.atLeast: \"2\"", "a number"),
      ("claims: [", "claims: [", "", ""),
    ])
  func refuses(old: String, new: String, place: String, expectation: String) throws {
    try #require(Self.text.contains(old))
    let text = Self.text.replacing(old, with: new, maxReplacements: 1)
    let message = Self.refusal(of: text)
    if place.isEmpty {
      #expect(message == nil)
    } else {
      let message = try #require(message, "\(new) is taken")
      #expect(message.contains(place) && message.contains(expectation), "\(message)")
    }
  }

  @Test("A directory that is no experiment's is refused by name")
  func refusesDirectories() throws {
    let error = #expect(throws: SimulationError.self) {
      try Experiment(readingFrom: "/nowhere/at-all")
    }
    #expect(error?.code == .notAnExperiment)
    #expect(error?.message.contains("/nowhere/at-all has no experiment.json5") == true)
  }

  // MARK: Claims

  private static func summary(
    seed: UInt64 = 1, rounds: Double? = nil, best: Double = 0.9,
    outcome: RunSummary.Outcome = .completed,
    digest: String = "d"
  ) -> RunSummary {
    RunSummary(
      name: "n", seed: seed, outcome: outcome, rounds: 10, finalAccuracy: best - 0.01,
      bestAccuracy: best, targetAccuracy: 0.5, roundsToTarget: rounds, parameterCount: 1,
      modelDigest: digest, seconds: 1, threads: 1)
  }

  private static func row(_ rate: String, _ summaries: RunSummary...) -> SweepRow {
    SweepRow(
      settings: SweepSettings(values: [SweepValue(key: "a.rate", value: rate)]),
      summaries: summaries, directories: summaries.map { "runs/\($0.seed)" })
  }

  private static func claim(
    _ metric: RunMetric, over: String? = nil, atMost: Double? = nil, atLeast: Double? = nil
  ) -> Experiment.Claim {
    Experiment.Claim(cell: "one", metric: metric, over: over, atMost: atMost, atLeast: atLeast)
  }

  private static func reproduction(
    _ claims: [Experiment.Claim], _ rows: [(cell: String, rows: [SweepRow])],
    committed: [CommittedResult] = []
  ) throws -> Reproduction {
    var experiment = try experiment()
    experiment.claims = claims
    return Reproduction(experiment: experiment, rows: rows, committed: committed)
  }

  @Test("A claim is about the best of a grid, by the mean over its seeds")
  func judgesClaims() throws {
    let rows =
      [
        (
          "one",
          [
            Self.row("1", Self.summary(rounds: 40, best: 0.8), Self.summary(rounds: 60, best: 0.9)),
            Self.row(
              "2", Self.summary(rounds: 30, best: 0.95), Self.summary(rounds: nil, best: 0.99)),
            Self.row("3", Self.summary(rounds: 1, best: 1, outcome: .diverged)),
          ]
        ),
        ("two", [Self.row("1", Self.summary(rounds: 200, best: 0.5))]),
        ("three", [Self.row("1", Self.summary(rounds: nil, best: 0.5))]),
      ] as [(cell: String, rows: [SweepRow])]
    let claims =
      [
        // A seed that never gets there is no mean, a diverged run no result: 50 of the first row.
        (Self.claim(.roundsToTarget, atMost: 50), 50, true),
        (Self.claim(.roundsToTarget, atMost: 49.9), 50, false),
        (Self.claim(.roundsToTarget, atLeast: 51), 50, false),
        (Self.claim(.bestAccuracy, atLeast: 0.97), 0.97, true),
        (Self.claim(.bestAccuracy, atLeast: 0.971), 0.97, false),
        (Self.claim(.roundsToTarget, over: "two", atMost: 0.25), 0.25, true),
        (Self.claim(.roundsToTarget, over: "two", atMost: 0.3, atLeast: 0.26), 0.25, false),
        (Self.claim(.roundsToTarget, over: "three", atMost: 1000), nil, false),
      ] as [(Experiment.Claim, Double?, Bool)]
    let reproduction = try Self.reproduction(claims.map(\.0), rows)
    for (verdict, (_, measured, holds)) in zip(reproduction.verdicts, claims) {
      #expect(verdict.holds == holds)
      if let measured {
        #expect(abs((verdict.measured ?? .nan) - measured) < 1e-12)
      } else {
        #expect(verdict.measured == nil)
      }
    }
    #expect(!reproduction.isReproduced)
    #expect(try Self.reproduction([claims[0].0, claims[3].0], rows).isReproduced)
    let report = reproduction.report.claims
    #expect(report[6].expected == "at most 0.3, at least 0.26")
    #expect(report[6].name == "one: roundsToTarget / two" && !report[6].isAccuracy)
  }

  @Test("A run is identical to what was committed, near it, or differs")
  func compares() throws {
    let committed = CommittedResult.all(
      of: [
        (
          "one",
          [
            Self.row("1", Self.summary(rounds: 50)), Self.row("2", Self.summary(rounds: 50)),
            Self.row("3", Self.summary(rounds: 50)), Self.row("4", Self.summary(rounds: 50)),
            Self.row("5", Self.summary(rounds: 50)), Self.row("6", Self.summary(rounds: nil)),
          ]
        )
      ])
    let rows = [
      Self.row("1", Self.summary(rounds: 50)),
      // 2 rounds and a tenth, half a percent: as near as another processor's rounding explains.
      Self.row("2", Self.summary(rounds: 57, best: 0.9049, digest: "e")),
      Self.row("3", Self.summary(rounds: 57.1, digest: "e")),
      Self.row("4", Self.summary(rounds: 50, best: 0.894, digest: "e")),
      Self.row("5", Self.summary(rounds: nil, digest: "e")),
      Self.row("6", Self.summary(outcome: .diverged, digest: "e")),
      Self.row("7", Self.summary(rounds: 50)),
    ]
    let reproduction = try Self.reproduction([], [("one", rows)], committed: committed)
    #expect(
      reproduction.report.runs.map(\.verdict)
        == [.identical, .near, .differs, .differs, .differs, .differs, .new])
    #expect(reproduction.report.runs[1].name == "one rate=2 seed=1")
    #expect(!reproduction.isReproduced)
    #expect(
      try Self.reproduction([], [("one", [rows[0], rows[1], rows[6]])], committed: committed)
        .isReproduced)
  }

  @Test("Mean and sample standard deviation")
  func computesStatistics() throws {
    let statistic = try #require(Statistic(of: [2, 4, 4, 4, 5, 5, 7, 9]))
    #expect(statistic.mean == 5)
    #expect(abs(statistic.standardDeviation - (32.0 / 7).squareRoot()) < 1e-12)
    #expect(Statistic(of: [3])?.standardDeviation == 0)
    #expect(Statistic(of: []) == nil)
  }
}
