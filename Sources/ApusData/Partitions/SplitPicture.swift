// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A picture of who has what: a bar for each client, cut by class, as SVG.
public struct SplitPicture: Sendable {
  /// More clients than this are drawn as an even sample.
  public static let clientLimit = 600

  private let statistics: PartitionStatistics
  private let classNames: [String]
  private let title: String
  private let tickStep: Int
  /// The examples at the upper end of the axis.
  private let top: Int
  /// From one client's bar to the next.
  private let pitch: Double

  // All in pixels.
  private let width = 960.0
  private let plot = (left: 64.0, top: 76.0, width: 872.0, height: 300.0)
  private let legendRow = 22.0
  private let legendColumns = 5
  /// More classes than this have a scale in place of a legend.
  private let namedClassLimit = 20

  /// - Parameters:
  ///   - dataset: whose clients.
  ///   - title: above the picture; nil for the data set's name.
  ///   - classNames: class 0 first; nil for their numbers.
  public init(of dataset: FederatedDataset, title: String? = nil, classNames: [String]? = nil) {
    statistics = PartitionStatistics(of: dataset, limit: Self.clientLimit)
    self.title = title ?? dataset.name
    let most = statistics.sizes.most
    tickStep = Self.tickStep(upTo: most)
    top = max(1, (most + tickStep - 1) / tickStep) * tickStep
    pitch = plot.width / Double(max(statistics.clients.count, 1))
    self.classNames = classNames ?? (0..<statistics.classCount).map(String.init)
  }

  /// The picture: a whole SVG document on a light background.
  public var svg: String {
    let height = legendTop + legendHeight + 16
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(width)) \(number(height))\" "
        + "width=\"\(number(width))\" height=\"\(number(height))\" role=\"img\" "
        + "aria-labelledby=\"split-title split-summary\" "
        + "font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#3d434d\">",
      "<title id=\"split-title\">\(escaped(title))</title>",
      "<desc id=\"split-summary\">\(escaped(summary))</desc>",
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
      "<text x=\"24\" y=\"32\" font-size=\"18\" font-weight=\"600\" fill=\"#14171c\">"
        + "\(escaped(title))</text>",
      "<text x=\"24\" y=\"54\" fill=\"#5c6470\">\(escaped(summary))</text>",
    ]
    lines += grid + bars + hovers + legend + ["</svg>", ""]
    return lines.joined(separator: "\n")
  }

  private var summary: String {
    let sizes = statistics.sizes
    let all = statistics.clientCount
    let shown = statistics.clients.count
    let clients = shown == all ? "\(all) clients" : "\(shown) of \(all) clients, evenly spaced"
    let examples =
      sizes.least == sizes.most
      ? "\(sizes.most) examples each"
      : "\(sizes.least) to \(sizes.most) examples each (median \(sizes.median))"
    guard statistics.classCount > 0, shown > 0 else { return "\(clients), \(examples)" }
    let present = statistics.clients.map(\.presentClassCount).sorted()
    let (least, most) = (present[0], present[shown - 1])
    return "\(clients), \(examples), \(least == most ? "" : "\(least) to ")\(most) of "
      + "\(statistics.classCount) classes each"
  }

  // MARK: Axes

  /// The least of 1, 2 and 5 times a power of ten that divides the axis into five parts or fewer.
  private static func tickStep(upTo most: Int) -> Int {
    var power = 1
    while true {
      for step in [power, 2 * power, 5 * power] where most <= 5 * step { return step }
      power *= 10
    }
  }

  private func y(_ count: Int) -> Double {
    plot.top + plot.height * (1 - Double(count) / Double(top))
  }

  private var grid: [String] {
    var lines: [String] = []
    for tick in stride(from: 0, through: top, by: tickStep) {
      let color = tick == 0 ? "#8a919c" : "#e6e8ec"
      lines.append(
        "<path d=\"M\(number(plot.left)) \(number(y(tick)))h\(number(plot.width))\" "
          + "stroke=\"\(color)\"/>"
          + "<text x=\"\(number(plot.left - 8))\" y=\"\(number(y(tick) + 4))\" "
          + "text-anchor=\"end\">\(tick)</text>")
    }
    let step = Self.tickStep(upTo: statistics.clients.count * 2 / 5)
    for place in stride(from: 0, to: statistics.clients.count, by: step) {
      let x = plot.left + (Double(place) + 0.5) * pitch
      lines.append(
        "<text x=\"\(number(x))\" y=\"\(number(plot.top + plot.height + 18))\" "
          + "text-anchor=\"middle\">\(statistics.clients[place].index)</text>")
    }
    let middle = (x: plot.left + plot.width / 2, y: plot.top + plot.height / 2)
    lines.append(
      "<text x=\"\(number(middle.x))\" y=\"\(number(plot.top + plot.height + 38))\" "
        + "text-anchor=\"middle\" fill=\"#5c6470\">client</text>")
    lines.append(
      "<text transform=\"translate(18 \(number(middle.y))) rotate(-90)\" "
        + "text-anchor=\"middle\" fill=\"#5c6470\">examples</text>")
    return lines
  }

  // MARK: Bars

  /// One path a class (or one in all), with a rectangle for each client.
  private var bars: [String] {
    let gap = pitch > 4 ? min(pitch * 0.15, 6) : 0
    let layers = max(statistics.classCount, 1)
    var paths = [String](repeating: "", count: layers)
    for (place, client) in statistics.clients.enumerated() {
      let counts = client.labelCounts.isEmpty ? [client.count] : client.labelCounts
      let x = number(plot.left + Double(place) * pitch + gap / 2)
      var below = 0
      for (label, count) in counts.enumerated() where count > 0 {
        let height = number(y(below) - y(below + count))
        let barWidth = number(pitch - gap)
        paths[label] +=
          "M\(x) \(number(y(below + count)))h\(barWidth)v\(height)h-\(barWidth)z"
        below += count
      }
    }
    let line = pitch > 8 ? " stroke=\"#ffffff\" stroke-width=\"0.6\"" : ""
    return paths.enumerated().filter { !$0.element.isEmpty }.map { label, path in
      "<path fill=\"\(color(of: label))\"\(line) d=\"\(path)\"/>"
    }
  }

  /// What a pointer that rests on a client is told.
  private var hovers: [String] {
    let rectangles = statistics.clients.enumerated().map { place, client in
      let classes = client.labelCounts.enumerated().filter { $0.element > 0 }
        .map { "\(name(of: $0.offset)): \($0.element)" }
      let text =
        ["client \(client.index): \(client.count) examples"] + classes.prefix(12)
        + (classes.count > 12 ? ["…"] : [])
      return "<rect x=\"\(number(plot.left + Double(place) * pitch))\" y=\"\(number(plot.top))\" "
        + "width=\"\(number(pitch))\" height=\"\(number(plot.height))\">"
        + "<title>\(escaped(text.joined(separator: "\n")))</title></rect>"
    }
    return ["<g fill=\"transparent\">"] + rectangles + ["</g>"]
  }

  // MARK: Legend

  private var hasNames: Bool { statistics.classCount <= namedClassLimit }
  private var legendTop: Double { plot.top + plot.height + 56 }
  private var legendHeight: Double {
    let rows = (statistics.classCount + legendColumns - 1) / legendColumns
    return legendRow * Double(hasNames ? rows : 1)
  }

  private var legend: [String] {
    if !hasNames { return scale }
    let columnWidth = plot.width / Double(legendColumns)
    return (0..<statistics.classCount).map { label in
      let x = plot.left + Double(label % legendColumns) * columnWidth
      let y = legendTop + Double(label / legendColumns) * legendRow
      return "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"12\" height=\"12\" rx=\"2\" "
        + "fill=\"\(color(of: label))\"/>"
        + "<text x=\"\(number(x + 18))\" y=\"\(number(y + 10.5))\">"
        + "\(escaped(String(name(of: label).prefix(22))))</text>"
    }
  }

  private var scale: [String] {
    let step = 300 / Double(statistics.classCount)
    let start = plot.left + 80
    let cells = (0..<statistics.classCount).map { label in
      "<rect x=\"\(number(start + Double(label) * step))\" y=\"\(number(legendTop))\" "
        + "width=\"\(number(step + 0.5))\" height=\"12\" fill=\"\(color(of: label))\"/>"
    }
    let last = statistics.classCount - 1
    return cells + [
      "<text x=\"\(number(start - 8))\" y=\"\(number(legendTop + 10.5))\" "
        + "text-anchor=\"end\">class \(escaped(name(of: 0)))</text>",
      "<text x=\"\(number(start + 308))\" y=\"\(number(legendTop + 10.5))\">"
        + "\(escaped(name(of: last)))</text>",
    ]
  }

  // MARK: Words and colors

  /// Ten colors that most people can tell apart, by Observable ("Observable 10"); beyond ten, hues.
  private static let palette = [
    "#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5",
    "#9c6b4e", "#9498a0",
  ]

  private func color(of label: Int) -> String {
    if statistics.classCount <= Self.palette.count { return Self.palette[label] }
    let hue = 360 * label / statistics.classCount
    return "hsl(\(hue), 60%, \(label % 2 == 0 ? 48 : 64)%)"
  }

  private func name(of label: Int) -> String {
    label < classNames.count ? classNames[label] : String(label)
  }

  /// With at most two digits after the point.
  private func number(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    if hundredths % 100 == 0 { return String(hundredths / 100) }
    let magnitude = hundredths.magnitude
    let digits = magnitude % 100
    return "\(hundredths < 0 ? "-" : "")\(magnitude / 100).\(digits < 10 ? "0" : "")\(digits)"
  }

  private func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n", " "..."\u{7E}", "\u{A0}"..."\u{D7FF}", "\u{E000}"..."\u{FFFD}",
        "\u{10000}"..."\u{10FFFF}":
        result.unicodeScalars.append(character)
      default: result += "\u{FFFD}"
      }
    }
    return result
  }
}
