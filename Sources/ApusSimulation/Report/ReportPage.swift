// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// The report as one HTML file.
struct ReportPage {
  let runs: [RecordedRun]
  let groups: [RunGroup]

  init(_ runs: [RecordedRun]) {
    self.runs = runs
    groups = RunGroup.grouped(runs)
  }

  private var title: String {
    let names = runs.map(\.name)
    let distinct = names.enumerated().filter { !names[..<$0.offset].contains($0.element) }
      .map(\.element)
    return distinct.count > 3
      ? "\(distinct.prefix(2).joined(separator: ", ")) and \(distinct.count - 2) more"
      : distinct.joined(separator: ", ")
  }

  var html: String {
    let charts = ReportCharts(groups: groups).blocks.map(\.html).joined()
    let notes = runs.flatMap(\.notes)
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(Wording.escaped(title)) – Apus</title>
      <style>\(ReportStyle.page)</style>
      </head>
      <body>
      <header>\(ReportStyle.bird)<div><h1>\(Wording.escaped(title))</h1>\(subtitle)</div>\
      <button id="theme" type="button" hidden>Light or dark</button></header>
      <main>
      \(list(notes))\(runs.count == 1 ? ReportNumbers.tiles(of: runs[0]) : ReportNumbers.table(of: groups))
      \(charts.isEmpty ? "" : "<h2>Over the rounds</h2><div class=\"charts\">\n\(charts)</div>")
      \(recipes)\(rounds)
      </main>
      <footer>Made by Apus from the run director\(runs.count == 1 ? "y" : "ies") \
      \(runs.map { "<code>\(Wording.escaped($0.path))</code>" }.joined(separator: ", ")).</footer>
      <script>\(ReportStyle.script)</script>
      </body>
      </html>

      """
  }

  private var subtitle: String {
    guard runs.count == 1 else {
      let recipes = groups.count == 1 ? "one recipe" : "\(groups.count) recipes"
      return "<p>\(runs.count) runs of \(recipes)</p>"
    }
    let outcome = ReportNumbers.outcome(of: runs[0])
    var words = "<p><span class=\"badge \(outcome.tone)\">\(outcome.words)</span>"
    if let summary = runs[0].summary {
      words += " · seed \(summary.seed) · \(summary.threads) "
      words += "thread\(summary.threads == 1 ? "" : "s") · \(Wording.seconds(summary.seconds))"
    }
    return words + "</p>"
  }

  private func list(_ notes: [String]) -> String {
    guard !notes.isEmpty else { return "" }
    let items = notes.map { "<li>\(Wording.escaped($0))</li>" }.joined()
    return "<ul class=\"notes\">\(items)</ul>\n"
  }

  private var recipes: String {
    let blocks = groups.map { group in
      """
      <details\(groups.count == 1 ? " open" : "")><summary>\(Wording.escaped(group.label))</summary>\
      <pre>\(Wording.escaped(group.runs.first?.recipe ?? ""))</pre></details>

      """
    }
    return "<h2>Recipe\(groups.count == 1 ? "" : "s")</h2>\n\(blocks.joined())"
  }

  private var rounds: String {
    let csv = Data(RunTable.csv(of: runs).utf8).base64EncodedString()
    let file = (title.isEmpty ? "apus" : title)
      .map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
    let tables = runs.map {
      "<details><summary>\(Wording.escaped($0.label))</summary>\(ReportNumbers.rounds(of: $0))</details>\n"
    }
    return """
      <h2>Rounds</h2>
      \(tables.joined())<a class="download" download="\(Wording.escaped(file)).csv" \
      href="data:text/csv;charset=utf-8;base64,\(csv)">Download the numbers as CSV</a>
      """
  }
}
