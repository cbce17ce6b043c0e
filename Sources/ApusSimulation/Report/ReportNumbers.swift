// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The numbers of a report: tiles, the table of runs, the tables of rounds.
enum ReportNumbers {
  /// The parts of a round's time, as they are drawn everywhere.
  static let phases:
    [(name: String, colour: Int, seconds: @Sendable (RoundRecord.Seconds) -> Double)] = [
      ("training", 0, { $0.train }), ("combining", 1, { $0.aggregate }),
      ("measuring", 2, { $0.evaluate }), ("checkpoint", 4, { $0.checkpoint }),
    ]

  /// The most rows in a table of rounds.
  static let rowLimit = 500

  static func outcome(of run: RecordedRun) -> (words: String, tone: String) {
    let rounds = run.summary?.rounds ?? run.records.last?.round ?? 0
    let count = "\(Wording.grouped(rounds)) round\(rounds == 1 ? "" : "s")"
    return switch run.summary?.outcome {
    case .completed: ("Completed after \(count)", "good")
    case .stopped: ("Stopped as the recipe asked, after \(count)", "good")
    case .interrupted: ("Interrupted after \(count)", "warn")
    case .diverged: ("Diverged after \(count)", "bad")
    case nil: ("Not ended, \(count) so far", "warn")
    }
  }

  static func tiles(of run: RecordedRun) -> String {
    var tiles: [(name: String, value: String, note: String)] = []
    if let accuracy = run.finalAccuracy {
      tiles.append(("Final accuracy", Wording.percent(accuracy), ""))
    }
    if let best = run.best {
      tiles.append(
        ("Best accuracy", Wording.percent(best.y), "in round \(Wording.tick(best.x))"))
    }
    if let target = run.summary?.targetAccuracy {
      tiles.append(
        (
          "Rounds to \(Wording.percent(target, digits: 1))",
          run.summary?.roundsToTarget.map { Wording.fixed($0, 1) } ?? "–",
          run.summary?.roundsToTarget == nil ? "not reached" : "interpolated"
        ))
    }
    if let seconds = run.secondsPerRound {
      tiles.append(("Time per round", Wording.seconds(seconds), "mean"))
    }
    if let clients = mean(run.trained.map { Double($0.clients) }) {
      let dropped = droppedCount(of: [run])
      tiles.append(
        (
          "Clients per round", Wording.significant(clients),
          dropped == 0 ? "none dropped out" : "\(Wording.grouped(dropped)) dropped out in all"
        ))
    }
    if let count = run.summary?.parameterCount {
      let size = Wording.bytes(Double(count) * 4)
      tiles.append(("Parameters", Wording.grouped(count), "\(size) as Float32"))
    }
    let items = tiles.map { tile in
      let long = tile.value.count > 9 ? " class=\"long\"" : ""
      return "<div><dt>\(Wording.escaped(tile.name))</dt>"
        + "<dd\(long)>\(Wording.escaped(tile.value))<small>\(Wording.escaped(tile.note))</small></dd></div>"
    }
    let digest = run.summary.map {
      "<p class=\"digest\">Model digest, SHA-256: <code>\(Wording.escaped($0.modelDigest))</code></p>"
    }
    return "<dl class=\"tiles\">\(items.joined())</dl>\(digest ?? "")"
  }

  /// A line for each recipe, and for each seed where there are several.
  static func table(of groups: [RunGroup]) -> String {
    let anyDropped = groups.flatMap(\.runs).contains { droppedCount(of: [$0]) > 0 }
    func row(name: String, colour: Int? = nil, of runs: [RecordedRun]) -> String {
      Self.row(name: name, colour: colour, of: runs, countsDropped: anyDropped)
    }
    var rows = ""
    for group in groups {
      if group.runs.count > 1 || groups.count == 1 {
        rows += row(
          name: "\(group.label) (\(group.runs.count)\u{A0}seeds)", colour: group.colour,
          of: group.runs)
        for run in group.runs {
          rows += row(name: "seed \(run.summary.map { "\($0.seed)" } ?? run.name)", of: [run])
        }
      } else {
        rows += row(name: group.label, colour: group.colour, of: group.runs)
      }
    }
    let key = phases.map { "<span class=\"key c\($0.colour)\">\($0.name)</span>" }
      .joined(separator: " &nbsp; ")
    let heads = [
      "Run", "Final accuracy", "Best accuracy", "To target", "Rounds", "Time per round",
      "By phase", "From clients", "Dropped out", "Digest",
    ].filter { anyDropped || $0 != "Dropped out" }
    let head = heads.map { "<th scope=\"col\">\($0)</th>" }.joined()
    return """
      <h2>Results</h2><div class="scroll panel"><table><thead><tr>\(head)</tr></thead>
      <tbody>\(rows)</tbody></table></div>
      <p class="muted">Several seeds: mean ± sample standard deviation. Time by phase: \(key)</p>
      """
  }

  private static func droppedCount(of runs: [RecordedRun]) -> Int {
    runs.reduce(0) { $0 + $1.trained.reduce(0) { $0 + $1.dropped } }
  }

  private static func row(
    name: String, colour: Int?, of runs: [RecordedRun], countsDropped: Bool
  ) -> String {
    let percent: (Double) -> String = { Wording.percent($0) }
    let reached = runs.compactMap { $0.summary?.roundsToTarget }
    let rounds = runs.map { Double($0.records.last?.round ?? 0) }
    var toTarget = Wording.meanAndDeviation(reached) { Wording.fixed($0, 1) } ?? "–"
    if !reached.isEmpty, reached.count < runs.count {
      toTarget += " (\(reached.count) of \(runs.count))"
    }
    let cells = [
      Wording.meanAndDeviation(runs.compactMap(\.finalAccuracy), percent) ?? "–",
      Wording.meanAndDeviation(runs.compactMap { $0.best?.y }, percent) ?? "–", toTarget,
      Set(rounds).count == 1
        ? Wording.tick(rounds[0])
        : Wording.meanAndDeviation(rounds) { Wording.significant($0) } ?? "–",
      Wording.meanAndDeviation(runs.compactMap(\.secondsPerRound), { Wording.seconds($0) }) ?? "–",
    ].map { "<td>\(Wording.escaped($0))</td>" }.joined()
    let digest = runs.count == 1 ? runs[0].summary?.modelDigest.prefix(8) : nil
    let key = colour.map { " class=\"name key c\($0)\"" } ?? " class=\"name seed\""
    let bytes = mean(runs.map { Double($0.bytesUp) }).map { Wording.bytes($0) } ?? "–"
    return "<tr><td\(key)>\(Wording.escaped(name))</td>\(cells)<td>\(split(of: runs))</td>"
      + "<td>\(bytes)</td>"
      + (countsDropped ? "<td>\(Wording.grouped(droppedCount(of: runs)))</td>" : "")
      + "<td><code>\(digest.map { Wording.escaped(String($0)) } ?? "")</code></td></tr>\n"
  }

  private static func split(of runs: [RecordedRun]) -> String {
    let sums = phases.map { phase in
      runs.reduce(0.0) { $0 + $1.trained.reduce(0.0) { $0 + phase.seconds($1.seconds) } }
    }
    let total = sums.reduce(0, +)
    guard total > 0, total.isFinite else { return "–" }
    let parts = zip(phases, sums).map { phase, sum in
      "<i class=\"c\(phase.colour)\" style=\"width:\(Wording.coordinate(sum / total * 100))%\" "
        + "title=\"\(phase.name) \(Wording.percent(sum / total, digits: 0))\"></i>"
    }
    return "<span class=\"split\">\(parts.joined())</span>"
  }

  static func rounds(of run: RecordedRun) -> String {
    let step = max(1, (run.records.count + rowLimit - 1) / rowLimit)
    let shown = run.records.enumerated().filter {
      $0.offset.isMultiple(of: step) || $0.offset == run.records.count - 1
    }
    let heads = [
      "Round", "Accuracy", "Loss", "Training loss", "Clients", "Dropped", "Refused", "Examples",
      "From clients", "To clients", "Time",
    ]
    let head = heads.map { "<th scope=\"col\">\($0)</th>" }.joined()
    let rows = shown.map { _, record in
      let cells = [
        Wording.grouped(record.round), record.accuracy.map { Wording.percent($0) } ?? "–",
        record.loss.map(Wording.significant) ?? "–",
        record.trainingLoss.map(Wording.significant) ?? "–", Wording.grouped(record.clients),
        Wording.grouped(record.dropped), Wording.grouped(record.rejected),
        Wording.grouped(record.examples), Wording.bytes(Double(record.bytesUp)),
        Wording.bytes(Double(record.bytesDown)), Wording.seconds(record.seconds.total),
      ]
      return "<tr>\(cells.map { "<td>\($0)</td>" }.joined())</tr>"
    }
    let note =
      step == 1
      ? ""
      : "<p class=\"muted\" style=\"padding:0 18px 12px\">One round of \(step) is shown; the CSV file has all.</p>"
    return """
      <div class="rounds"><table><thead><tr>\(head)</tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>\(note)
      """
  }
}
