// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Runs of `apus simulate`, whole processes, with the recipes in `Benchmarks/recipes`.
struct Simulations {
  /// The command.
  let apus: String
  /// The directory of the recipes.
  let recipes: String

  /// What `metrics.jsonl` has of a round, as far as it is asked for here.
  private struct Round: Decodable {
    struct Seconds: Decodable {
      var train: Double
      var aggregate: Double
    }
    var round: Int
    var clients: Int
    var seconds: Seconds
  }

  /// The rounds after the first: training and aggregation.
  ///
  /// Neither side's evaluation is counted.
  func rounds(
    _ work: String, recipe: String, guess: Double, timer: Timer
  ) throws -> Figure {
    let count = max(4, Int(timer.seconds / guess) + 1)
    let (_, rounds) = try simulate(recipe, setting: ["rounds=\(count)", "evaluate.every=\(count)"])
    let later = rounds.filter { $0.round > 1 }
    return Figure(
      work, unit: "s", samples: later.map { $0.seconds.train + $0.seconds.aggregate },
      also: [
        "aggregate": later.map(\.seconds.aggregate).median,
        "first": rounds.first { $0.round == 1 }.map { $0.seconds.train + $0.seconds.aggregate }
          ?? .nan,
      ])
  }

  /// From the start of the process to its end, with everything that a run writes.
  func wholeRun(_ work: String, recipe: String) throws -> Figure {
    let (child, _) = try simulate(recipe, setting: [])
    return Figure(
      work, unit: "s", samples: [child.seconds], also: ["peakMemory": child.peakMemory])
  }

  /// From the start of the process to the beginning of round 1.
  ///
  /// The data is loaded by then, and the model is made and measured once on the test images. With it goes
  /// the peak memory of a run of five rounds.
  func start(_ work: String, recipe: String) throws -> Figure {
    let (child, _) = try simulate(recipe, setting: ["rounds=5"])
    guard let seconds = child.secondsToMoment else { throw BenchmarkError("\(work): no round 0") }
    return Figure(work, unit: "s", samples: [seconds], also: ["peakMemory": child.peakMemory])
  }

  /// One round in which so many clients take part.
  func participants(_ work: String, recipe: String, count: Int) throws -> Figure {
    let (child, rounds) = try simulate(
      recipe, setting: ["data.clients=\(count)", "cohort.size=\(count)"])
    guard let round = rounds.last, round.clients == count else {
      throw BenchmarkError("\(work): \(rounds.last?.clients ?? 0) clients took part, not \(count).")
    }
    return Figure(
      work, unit: "s", samples: [round.seconds.train + round.seconds.aggregate],
      also: [
        "train": round.seconds.train, "aggregate": round.seconds.aggregate,
        "wholeProcess": child.seconds, "peakMemory": child.peakMemory,
      ])
  }

  private func simulate(
    _ recipe: String, setting settings: [String]
  ) throws -> (ChildProcess, [Round]) {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "apus-bench-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let metrics = directory + "/metrics.jsonl"
    let overrides = settings.flatMap { ["--set", $0] }
    let child = try ChildProcess.run(
      [apus, "simulate", "\(recipes)/\(recipe).json5", "--quiet", "--threads", "2"]
        + ["--out", directory] + overrides
    ) {
      // The line of round 0 is written when round 1 begins.
      let size = try? FileManager.default.attributesOfItem(atPath: metrics)[.size] as? Int
      return size ?? 0 > 0
    }
    let lines = try String(contentsOfFile: metrics, encoding: .utf8).split(separator: "\n")
    return (child, try lines.map { try JSONDecoder().decode(Round.self, from: Data($0.utf8)) })
  }
}
