// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// A chart as it stands in the page: caption, legend, picture, and the numbers for the pointer.
struct ChartBlock {
  /// What the pointer reads at one place of the picture.
  struct Stop: Encodable {
    /// The place in the picture's coordinates.
    var x: Double
    var heading: String
    /// A value for each row of the legend, written out.
    var values: [String]
  }

  struct Row: Encodable {
    var label: String
    var colour: Int
    var isDashed = false
  }

  private struct Pointer: Encodable {
    var left: Double
    var top: Double
    var right: Double
    var bottom: Double
    var rows: [Row]
    var stops: [Stop]
  }

  /// The most places at which the pointer reads values.
  static let stopLimit = 400

  let id: String
  let title: String
  let note: String
  let frame: ChartFrame
  let description: String
  let marks: String
  let rows: [Row]
  let stops: [Stop]

  init(_ chart: LineChart, id: String, note: String = "") {
    self.id = id
    let smoothing = chart.smoothing.map { "Bold: means of \($0) points each; behind them, all." }
    self.note = [note, smoothing ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
    title = chart.title
    let frame = chart.frame
    self.frame = frame
    description = chart.description
    marks = chart.marks(in: frame, id: id)
    let named = chart.series.filter { $0.label != nil }
    rows = named.map { Row(label: $0.label ?? "", colour: $0.colour, isDashed: $0.isDashed) }
    let places = Set(named.flatMap { $0.points.map(\.x) }).sorted()
    let step = max(1, (places.count + Self.stopLimit - 1) / Self.stopLimit)
    stops = stride(from: 0, to: places.count, by: step).map { index in
      Stop(
        x: frame.place(x: places[index]).inTenths,
        heading: "\(chart.xLabel) \(Wording.tick(places[index]))",
        values: named.map { $0.value(at: places[index]).map(chart.format) ?? "–" })
    }
  }

  init(_ chart: BarChart, id: String, note: String = "") {
    self.id = id
    self.note = note
    title = chart.title
    let bars = chart.bars
    let frame = chart.frame(for: bars)
    self.frame = frame
    description = chart.description
    marks = chart.marks(of: bars, in: frame)
    rows = chart.parts.map { Row(label: $0.label, colour: $0.colour) }
    stops = bars.map { bar in
      Stop(
        x: frame.place(x: bar.middle).inTenths, heading: BarChart.heading(of: bar),
        values: bar.heights.map(chart.format))
    }
  }

  var html: String {
    let legend = rows.map { row in
      "<li class=\"c\(row.colour)\(row.isDashed ? " dashed" : "")\">\(Wording.escaped(row.label))</li>"
    }
    return """
      <figure class="chart\(frame.width > 800 ? " wide" : "")">
      <figcaption><h3>\(Wording.escaped(title))</h3>\
      \(note.isEmpty ? "" : "<p>\(Wording.escaped(note))</p>")\
      \(legend.count > 1 ? "<ul class=\"legend\">\(legend.joined())</ul>" : "")</figcaption>
      <div class="scroll">\(frame.opening(id: id, title: title, description: description))\
      \(marks)<path class="guide" d=""/></svg></div>
      <script type="application/json">\(pointer)</script>
      </figure>

      """
  }

  /// JSON in which no `<` stands, so that it cannot end the element around it.
  private var pointer: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let value = Pointer(
      left: frame.left, top: frame.top, right: frame.plotRight, bottom: frame.plotBottom,
      rows: rows, stops: stops)
    guard let bytes = try? encoder.encode(value) else { return "{}" }
    return String(decoding: bytes, as: UTF8.self).replacing("<", with: "\\u003c")
  }
}

extension Double {
  /// Rounded to one digit behind the point.
  fileprivate var inTenths: Double { isFinite ? (self * 10).rounded() / 10 : 0 }
}
