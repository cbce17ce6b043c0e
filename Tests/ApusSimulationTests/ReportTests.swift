// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OwnThreads
import Testing

@testable import ApusSimulation

@Suite("Report", .ownThread)
struct ReportTests {
  let scratch: ScratchDirectory

  init() throws { scratch = try ScratchDirectory() }

  private func page(of runs: [String]) throws -> String {
    try Report.write(runs: runs, to: "\(scratch.path)/report.html")
    return try scratch.read("report.html")
  }

  /// Parses the page as XML after leaving out what HTML does not close.
  private func isWellFormed(_ html: String) -> Bool {
    let xml = html.replacing("<!doctype html>\n", with: "")
      .replacing(/<meta[^>]*>/, with: "")
      .replacing("<button id=\"theme\" type=\"button\" hidden>", with: "<button>")
      .replacing("<details open>", with: "<details>")
      .replacing("&nbsp;", with: " ")
      .replacing(/<(script|style)[^>]*>.*?<\/(script|style)>/.dotMatchesNewlines(), with: "")
    return XMLChecker.isWellFormed(xml)
  }

  @Test("A run's page has its numbers, charts, recipe and rounds, and asks nothing of a network")
  func singleRun() throws {
    var run = SyntheticRun(name: "one", rounds: 30)
    run.measuresClients = true
    run.dropOutRate = 0.3
    let html = try page(of: [run.write(into: scratch)])
    #expect(isWellFormed(html))
    let final = try #require(run.summary.finalAccuracy)
    for words in [
      "Completed after 30 rounds", Wording.percent(final), "199,210", run.summary.modelDigest,
      "Accuracy on the test examples", "Loss", "Accuracy client by client", "Time by phase",
      "dropped out", "Bytes", "model: &quot;mcmahan-2nn&quot;",
    ] {
      #expect(html.contains(words), "\(words) is not in the page")
    }
    #expect(html.firstMatch(of: /(src|href)="(?!data:)/) == nil)
    #expect(html.firstMatch(of: /@import|url\((?!#)|fetch\(|https?:/) == nil)
    #expect(html.matches(of: /<svg [^>]*role="img"/).count == html.matches(of: /<desc\b/).count)
  }

  @Test("The file to download and the one beside the page are the numbers, digit for digit")
  func numbersAsCSV() throws {
    let run = SyntheticRun(name: "a, \"b\"", rounds: 4)
    let path = try run.write(into: scratch, as: "run")
    let html = try page(of: [path])
    let csv = try Report.csv(runs: [path])
    #expect(try scratch.read("report.csv") == csv)
    let link = try #require(html.firstMatch(of: /base64,([A-Za-z0-9+\/=]+)"/)).output.1
    #expect(Data(base64Encoded: String(link)) == Data(csv.utf8))
    let lines = csv.split(separator: "\r\n")
    #expect(lines.count == 6)
    #expect(lines[0].hasPrefix("run,seed,round,accuracy,loss,training_loss,clients,dropped"))
    let accuracy = try #require(run.records[2].accuracy)
    #expect(lines[3].hasPrefix("\"a, \"\"b\"\"\",1,2,\(accuracy),"))
  }

  @Test("What files say cannot become part of the page's markup or script")
  func escaping() throws {
    var run = SyntheticRun(rounds: 2)
    run.name = "</script><script>alert(1)</script><b a='\"&"
    let html = try page(of: [
      run.write(into: scratch, as: "x"), SyntheticRun(rounds: 2).write(into: scratch, as: "y"),
    ])
    #expect(isWellFormed(html))
    #expect(!html.contains("alert(1)</script>"))
    #expect(!html.contains("<b a="))
    #expect(html.contains("&lt;b a=&#39;&quot;&amp;"))
    #expect(html.matches(of: /<script/).count == html.matches(of: /<\/script>/).count)
  }

  @Test("A damaged line is an error that names file and line; a torn last one is a note")
  func damagedMetrics() throws {
    let path = try SyntheticRun(rounds: 3).write(into: scratch, as: "run")
    let metrics = try scratch.read("run/metrics.jsonl")
    var lines = metrics.split(separator: "\n").map(String.init)

    try scratch.write(metrics + lines[3].prefix(40), to: "run/metrics.jsonl")
    let notes = try Report.write(runs: [path], to: "\(scratch.path)/torn.html")
    #expect(notes.count == 1)
    #expect(try scratch.read("torn.html").contains("metrics.jsonl is cut off"))

    lines[1] = "{\"round\": 1, \"clients\": \"ten\"}"
    try scratch.write(lines.joined(separator: "\n") + "\n", to: "run/metrics.jsonl")
    let damage = try #require(throws: SimulationError.self) { try Report.csv(runs: [path]) }
    #expect(damage.code == .damagedRun)
    #expect(damage.message.contains("run/metrics.jsonl:2: 'clients' is of the wrong kind"))

    // The same text with its line break is damage, not the trace of a kill.
    try scratch.write(metrics + "{\"round\": 4\n", to: "run/metrics.jsonl")
    #expect(throws: SimulationError.self) { try Report.csv(runs: [path]) }
  }

  @Test("A directory that is no run, no run at all and an unwritable page are errors")
  func missingFiles() throws {
    let none = try #require(throws: SimulationError.self) { try Report.csv(runs: []) }
    #expect(none.code == .notARun)
    let empty = try #require(throws: SimulationError.self) {
      try Report.csv(runs: [scratch.path])
    }
    #expect(empty.code == .notARun)
    #expect(empty.message.contains("no readable recipe.json5"))
    let path = try SyntheticRun(rounds: 1).write(into: scratch)
    let page = try #require(throws: SimulationError.self) {
      try Report.write(runs: [path], to: "\(scratch.path)/nowhere/report.html")
    }
    #expect(page.code == .outputUnwritable)
    #expect(page.message.contains("nowhere/report.html"))
  }

  @Test("A run without a summary, without rounds or with nothing measured still has a page")
  func poorRuns() throws {
    let path = try SyntheticRun(rounds: 5).write(into: scratch, as: "killed")
    try FileManager.default.removeItem(atPath: "\(path)/summary.json")
    #expect(try page(of: [path]).contains("Not ended, 5 rounds so far"))

    try scratch.write("", to: "killed/metrics.jsonl")
    let empty = try page(of: [path])
    #expect(isWellFormed(empty))
    #expect(!empty.contains("<figure"))

    var unmeasured = SyntheticRun(rounds: 3)
    unmeasured.divergesAt = 0
    let diverged = try page(of: [unmeasured.write(into: scratch, as: "diverged")])
    #expect(isWellFormed(diverged))
    #expect(diverged.contains("Diverged after 3 rounds"))
    #expect(!diverged.contains("<h3>Loss</h3>"))
  }

  @Test("Rounds that a resumed run says again count once, as said last")
  func repeatedRounds() throws {
    let path = try SyntheticRun(rounds: 4).write(into: scratch, as: "run")
    let lines = try scratch.read("run/metrics.jsonl").split(separator: "\n")
    let again = lines + lines[3...]
    try scratch.write(again.joined(separator: "\n") + "\n", to: "run/metrics.jsonl")
    #expect(try RecordedRun(at: path).records.map(\.round) == [0, 1, 2, 3, 4])
  }

  @Test("Five thousand rounds make a page of bounded charts with every round in the numbers")
  func longRun() throws {
    var run = SyntheticRun(rounds: 5000)
    run.divergesAt = 4000
    let path = try run.write(into: scratch)
    let recorded = try RecordedRun(at: path)
    let blocks = ReportCharts(groups: RunGroup.grouped([recorded])).blocks
    #expect(blocks.count >= 4)
    for block in blocks {
      #expect(block.stops.count <= ChartBlock.stopLimit + 1)
      #expect(block.marks.utf8.count < 80_000, "\(block.title)")
    }
    #expect(ReportNumbers.rounds(of: recorded).matches(of: /<tr>/).count <= 502)
    #expect(RunTable.csv(of: [recorded]).matches(of: /\r\n/).count == 5002)
  }

  @Test("Seeds of one recipe are one group with mean and deviation; another rate is another group")
  func groups() throws {
    let paths = try (1...3).map { try SyntheticRun(seed: $0, rounds: 10).write(into: scratch) }
    let other = try SyntheticRun(rounds: 10, learningRate: 0.05).write(into: scratch, as: "other")
    let groups = RunGroup.grouped(try Report.read(paths + [other]))
    #expect(groups.map(\.runs.count) == [3, 1])
    #expect(groups.map(\.label) == ["learningRate: 0.1", "learningRate: 0.05"])

    let series = groups[0].series(of: \.accuracy, label: "a", colour: 0)
    #expect(series.map(\.weight) == [.faint, .faint, .faint, .bold])
    let last = series[3].points.count - 1
    let values = series[0..<3].map { $0.points[last].y }
    let mean = values.reduce(0, +) / 3
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 2
    #expect(abs(series[3].points[last].y - mean) < 1e-12)
    #expect(abs(series[3].spread[last] - variance.squareRoot()) < 1e-12)
    let html = try page(of: paths + [other])
    #expect(isWellFormed(html))
    #expect(html.contains("4 runs of 2 recipes"))
    #expect(html.contains("class=\"band c0\""))
  }

  @Test("Seeds that stopped at different rounds have a mean only where all have a value")
  func unequalSeeds() throws {
    let paths = try [8, 12].enumerated().map { index, rounds in
      try SyntheticRun(seed: UInt64(index), rounds: rounds).write(into: scratch, as: "r\(index)")
    }
    let recipe = SyntheticRun(rounds: 12).recipe
    for index in 0..<2 { try scratch.write(recipe, to: "r\(index)/recipe.json5") }
    let groups = RunGroup.grouped(try Report.read(paths))
    let mean = try #require(groups[0].series(of: \.accuracy, label: "a", colour: 0).last)
    #expect(mean.points.map(\.x) == (0...8).map(Double.init))
  }

  @Test("A figure is well-formed SVG with curves, legend and the published result")
  func figure() throws {
    let paths = try (1...2).map { try SyntheticRun(seed: $0, rounds: 40).write(into: scratch) }
    try Figure.write(
      runs: paths, title: "2NN & co",
      reference: .init(accuracy: 0.97, round: 20, label: "published <2017>"),
      to: "\(scratch.path)/figure.svg")
    let svg = try scratch.read("figure.svg")
    #expect(XMLChecker.isWellFormed(svg))
    for words in ["2NN &amp; co", "published &lt;2017&gt;", "class=\"marker\"", "(2 seeds)"] {
      #expect(svg.contains(words), "\(words) is not in the figure")
    }
    #expect(
      svg
        == Figure.svg(
          of: RunGroup.grouped(try Report.read(paths)), title: "2NN & co",
          reference: .init(accuracy: 0.97, round: 20, label: "published <2017>")))
  }
}
