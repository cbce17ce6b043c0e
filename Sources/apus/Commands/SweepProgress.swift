// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusSimulation

/// How far several runs are, one after the other.
final class SweepProgress {
  private let runCount: Int
  private let line: ProgressLine
  private let estimate: Estimate
  private var done = 0
  private var title = ""
  private var rounds = 0

  init(runCount: Int, on console: Console) {
    self.runCount = runCount
    line = ProgressLine("Reading recipe and data", on: console)
    estimate = Estimate(from: 0, to: runCount, startingAt: .now)
  }

  func show(_ event: Sweep.Event) {
    switch event {
    case .runBegins(let settings, let seed, let run):
      title = settings.title.isEmpty ? "seed \(seed)" : "\(settings.title), seed \(seed)"
      rounds = run.recipe.rounds
      line.update("Run \(done + 1) of \(runCount): \(title)")
    case .round(let record):
      let accuracy = record.accuracy.map { ", accuracy \(Cell.percent($0))" } ?? ""
      let left = estimate.secondsLeft(after: done, at: .now)
      let rest = left.map { ", \(Cell.duration($0)) left" } ?? ""
      line.update(
        "Run \(done + 1) of \(runCount): \(title), round \(record.round) of \(rounds)\(accuracy)\(rest)"
      )
    case .runEnds(let summary):
      done += 1
      let target = summary.roundsToTarget.map {
        ", target after \(Cell.fixed($0, digits: 1)) rounds"
      }
      line.note(
        "run \(done) of \(runCount): \(title): \(summary.outcome.rawValue) after "
          + "\(summary.rounds) rounds, best accuracy \(Cell.percent(summary.bestAccuracy))\(target ?? "")"
      )
    }
  }

  func finish() { line.finish() }
}
