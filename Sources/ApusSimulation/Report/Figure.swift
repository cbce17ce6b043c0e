// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A picture of accuracy over rounds, as a file of its own.
public enum Figure {
  /// A published result to compare with.
  public struct Reference: Hashable, Sendable {
    /// The accuracy published, in 0...1.
    public var accuracy: Double
    /// The round at which it was reached; nil draws only the line.
    public var round: Double?
    /// Where it was published.
    public var label: String

    public init(accuracy: Double, round: Double? = nil, label: String) {
      self.accuracy = accuracy
      self.round = round
      self.label = label
    }
  }

  /// The accuracy curves of some runs as SVG, light or dark as its reader prefers.
  ///
  /// - Throws: `not-a-run`, `damaged-run`.
  public static func svg(
    runs: [String], title: String, reference: Reference? = nil
  ) throws(SimulationError) -> String {
    svg(of: RunGroup.grouped(try Report.read(runs)), title: title, reference: reference)
  }

  /// Writes ``svg(runs:title:reference:)`` to a file.
  ///
  /// - Throws: `not-a-run`, `damaged-run`, `output-unwritable`.
  public static func write(
    runs: [String], title: String, reference: Reference? = nil, to path: String
  ) throws(SimulationError) {
    try Report.write(svg(runs: runs, title: title, reference: reference), to: path)
  }

  /// Writes a figure with a curve for each of some groups of runs, seeds of one recipe each.
  ///
  /// - Parameters:
  ///   - groups: what each is called, and the directories of its runs.
  ///   - title: of the picture.
  ///   - reference: a published result.
  ///   - path: of the file.
  /// - Throws: `not-a-run`, `damaged-run`, `output-unwritable`.
  public static func write(
    groups: [(label: String, runs: [String])], title: String, reference: Reference?,
    to path: String
  ) throws(SimulationError) {
    var named: [RunGroup] = []
    for (index, group) in groups.enumerated() {
      named.append(
        RunGroup(
          label: group.label, runs: try Report.read(group.runs),
          colour: index % RunGroup.paletteCount))
    }
    try Report.write(svg(of: named, title: title, reference: reference), to: path)
  }

  static func svg(of groups: [RunGroup], title: String, reference: Reference?) -> String {
    let series = groups.flatMap {
      $0.series(of: \.accuracy, label: $0.label, colour: $0.colour)
    }
    let chart = LineChart(
      title: title, measure: .share, series: series,
      reference: reference.map { LineChart.Reference(value: $0.accuracy, label: $0.label) },
      width: 820, height: 420, dwellsOnTop: true)
    var frame = chart.frame
    frame.top = 48
    frame.right = 22
    var svg = frame.opening(
      id: "figure", title: title, description: chart.description,
      attributes: " xmlns=\"http://www.w3.org/2000/svg\" width=\"820\" height=\"420\"")
    svg +=
      "<style>\(ReportStyle.figure)</style><rect class=\"paper\" width=\"820\" height=\"420\"/>"
    svg += "<text class=\"title\" x=\"16\" y=\"27\">\(Wording.escaped(title))</text>"
    svg += chart.marks(in: frame, id: "figure")
    if let reference, let round = reference.round {
      svg += "<circle class=\"marker\" cx=\"\(Wording.coordinate(frame.place(x: round)))\" "
      svg += "cy=\"\(Wording.coordinate(frame.place(y: reference.accuracy)))\" r=\"5\"/>"
    }
    svg += legend(series.filter { $0.label != nil }, in: frame)
    return svg + "</svg>\n"
  }

  // At the lower right, where rising curves leave room.
  private static func legend(_ series: [Series], in frame: ChartFrame) -> String {
    guard !series.isEmpty else { return "" }
    let top = frame.plotBottom - 14 - Double(series.count - 1) * 19
    var svg = "<g class=\"legend\">"
    for (index, series) in series.enumerated() {
      let y = Wording.coordinate(top + Double(index) * 19)
      let right = frame.plotRight - 8
      svg += "<path class=\"curve bold c\(series.colour)\(series.isDashed ? " dashed" : "")\" "
      svg += "d=\"M\(Wording.coordinate(right - 22)) \(y)h22\"/>"
      svg += "<text x=\"\(Wording.coordinate(right - 30))\" y=\"\(y)\" dy=\".32em\" "
      svg += "text-anchor=\"end\">\(Wording.escaped(series.label ?? ""))</text>"
    }
    return svg + "</g>"
  }
}
