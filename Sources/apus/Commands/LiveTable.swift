// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusSimulation

/// Rounds as they come: a row for every measured one, and a line that says how long the rest takes.
final class LiveTable {
  private let console: Console
  private let progress: ProgressLine
  private let rounds: Int
  private let now: () -> ContinuousClock.Instant
  private let start: ContinuousClock.Instant
  private var estimate: Estimate?
  private var hasHeader = false

  private let table = Table([
    .init(title: "round", width: 6), .init(title: "accuracy", width: 9),
    .init(title: "loss", width: 8), .init(title: "clients", width: 7),
    .init(title: "dropped", width: 7), .init(title: "seconds", width: 8),
    .init(title: "left", width: 11),
  ])

  init(
    rounds: Int, progress: ProgressLine, console: Console,
    now: @escaping () -> ContinuousClock.Instant = { .now }
  ) {
    self.console = console
    self.progress = progress
    self.rounds = rounds
    self.now = now
    start = now()
  }

  func show(_ record: RoundRecord) {
    let done = record.round
    // A resumed run begins at a later round.
    let estimate = estimate ?? Estimate(from: max(0, done - 1), to: rounds, startingAt: start)
    self.estimate = estimate
    let left = estimate.secondsLeft(after: done, at: now())
    switch console.format {
    case .text: if record.accuracy != nil { row(record, left) }
    case .jsonl: if let line = try? console.jsonLine(record) { progress.print(line) }
    case .json: break
    }
    if record.rejected > 0 {
      progress.note("round \(done): \(record.rejected) updates refused; log.txt tells why")
    }
    let accuracy = record.accuracy.map { ", accuracy \(Cell.percent($0))" } ?? ""
    let rest = left.map { ", \(Cell.duration($0)) left" } ?? ""
    progress.update("Round \(done) of \(rounds)\(accuracy)\(rest)")
  }

  private func row(_ record: RoundRecord, _ left: Double?) {
    if !hasHeader {
      progress.print(console.output.styled(table.header, .bold))
      hasHeader = true
    }
    progress.print(
      table.row([
        "\(record.round)", Cell.percent(record.accuracy), Cell.fixed(record.loss, digits: 4),
        Cell.count(record.clients), Cell.count(record.dropped),
        Cell.fixed(record.seconds.total, digits: 2), left.map { Cell.duration($0) } ?? "–",
      ]))
  }
}
