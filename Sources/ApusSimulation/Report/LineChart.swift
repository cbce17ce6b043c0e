// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Curves over rounds.
struct LineChart: Sendable {
  /// How the vertical axis is laid and written.
  enum Measure: Sendable {
    /// Shares in 0...1, written as percentages.
    case share
    /// Positive numbers; on a logarithmic axis where they span more than a factor of 30.
    case loss
    case bytes
  }

  /// A horizontal line with words, such as a target.
  struct Reference: Sendable {
    var value: Double
    var label: String
  }

  var title: String
  var measure: Measure
  var series: [Series]
  var reference: Reference?
  var width = 1040.0
  var height = 340.0
  var xLabel = "round"
  /// Whether a share's axis may begin where the curves have left their steep start.
  var dwellsOnTop = false

  /// The most points that a curve is drawn with.
  static let pointLimit = 800
  /// The number of points from which on a curve is drawn faintly behind its smoothed self.
  static let denseCount = 500

  /// Over how many points dense curves are smoothed; nil where none is dense.
  var smoothing: Int? {
    let longest = series.filter { $0.weight == .bold }.map(\.points.count).max() ?? 0
    return longest > Self.denseCount ? longest / 125 : nil
  }

  private var values: [Double] {
    series.flatMap { series in
      series.spread.isEmpty
        ? series.points.map(\.y)
        : zip(series.points, series.spread).flatMap { [$0.y - $1, $0.y + $1] }
    } + (reference.map { [$0.value] } ?? [])
  }

  var hasValues: Bool { series.contains { $0.points.contains { $0.y.isFinite } } }

  var frame: ChartFrame {
    let x = Axis(
      over: series.flatMap { [$0.points.first, $0.points.last] }.compactMap { $0?.x },
      tickCount: width > 800 ? 10 : 6, isTight: true, isWhole: true)
    return ChartFrame(width: width, height: height, x: x, y: yAxis)
  }

  private var yAxis: Axis {
    switch measure {
    case .share:
      let low = dwellsOnTop ? lowestWorthShowing : nil
      return Axis(
        over: low.map { low in values.map { max($0, low) } } ?? values, within: 0...1, tickCount: 6)
    case .bytes: return Axis(over: values + [0], within: 0 ... .infinity)
    case .loss:
      let finite = values.filter { $0.isFinite }
      if let low = finite.min(), let high = finite.max(), low > 0, high / low > 30 {
        return Axis(logarithmicOver: finite)
      }
      return Axis(over: values, tickCount: 6)
    }
  }

  // Good models learn most in a few rounds; what tells them apart is in the last few percent.
  private var lowestWorthShowing: Double? {
    let sorted = series.flatMap { $0.points.map(\.y) }.filter(\.isFinite).sorted()
    guard sorted.count >= 20 else { return nil }
    let tenth = sorted[sorted.count / 10]
    return tenth > 0.6 ? 1 - (1 - tenth) * 1.5 : nil
  }

  func tick(_ value: Double) -> String {
    switch measure {
    case .share: "\(Wording.tick(value * 100))\u{202F}%"
    case .loss: Wording.tick(value)
    case .bytes: value == 0 ? "0" : Wording.bytes(value, Wording.tick)
    }
  }

  func format(_ value: Double) -> String {
    switch measure {
    case .share: Wording.percent(value)
    case .loss: Wording.significant(value)
    case .bytes: Wording.bytes(value)
    }
  }

  /// What the picture shows, in a sentence for each named curve.
  var description: String {
    let sentences = series.compactMap { series -> String? in
      guard let label = series.label, let first = series.points.first,
        let last = series.points.last
      else { return nil }
      return "\(label): from \(format(first.y)) at \(xLabel) \(Wording.tick(first.x)) "
        + "to \(format(last.y)) at \(xLabel) \(Wording.tick(last.x))."
    }
    return sentences.joined(separator: " ")
  }

  /// Grid, bands, curves and reference line, without the tags around them.
  func marks(in frame: ChartFrame, id: String) -> String {
    let drawn = series.flatMap { series -> [Series] in
      var plain = series.decimated(to: Self.pointLimit)
      guard let smoothing, series.weight == .bold, series.points.count > Self.denseCount else {
        return [plain]
      }
      plain.weight = .faint
      plain.isDashed = false
      return [plain, series.smoothed(over: smoothing)]
    }
    var svg = frame.grid(xLabel: xLabel, yFormat: tick)
    let bands = drawn.filter { !$0.spread.isEmpty }.map { band($0, in: frame) }
    let curves = drawn.map { curve($0, in: frame) }
    svg += frame.clipped((bands + curves).joined(), id: id)
    if let reference {
      let place = Wording.coordinate(frame.place(y: reference.value))
      svg += "<g class=\"reference\"><path d=\"M\(Wording.coordinate(frame.left)) \(place)"
      svg += "H\(Wording.coordinate(frame.plotRight))\"/>"
      svg += "<text x=\"\(Wording.coordinate(frame.left + 6))\" y=\"\(place)\" dy=\"1.25em\">"
      svg += "\(Wording.escaped(reference.label))</text></g>"
    }
    return svg
  }

  private func curve(_ series: Series, in frame: ChartFrame) -> String {
    let places = series.points.map { point -> (x: Double, y: Double)? in
      frame.y.place(of: point.y).isFinite
        ? (frame.place(x: point.x), frame.place(y: point.y)) : nil
    }
    var path = ""
    var dots = ""
    // A point between two gaps has no line; with few points each is marked.
    let marksAll = places.count <= 30 && series.weight != .faint
    for (index, place) in places.enumerated() {
      guard let place else { continue }
      let x = Wording.coordinate(place.x)
      let y = Wording.coordinate(place.y)
      let joinsBefore = index > 0 && places[index - 1] != nil
      let joinsAfter = index + 1 < places.count && places[index + 1] != nil
      path += "\(joinsBefore ? "L" : "M")\(x) \(y)"
      if marksAll || (!joinsBefore && !joinsAfter) {
        dots += "<circle class=\"dot c\(series.colour)\" cx=\"\(x)\" cy=\"\(y)\" r=\"2.6\"/>"
      }
    }
    let classes =
      "curve \(series.weight.rawValue) c\(series.colour)"
      + (series.isDashed ? " dashed" : "")
    return path.isEmpty ? "" : "<path class=\"\(classes)\" d=\"\(path)\"/>\(dots)"
  }

  private func band(_ series: Series, in frame: ChartFrame) -> String {
    let edges = zip(series.points, series.spread).filter {
      frame.y.place(of: $0.y - $1).isFinite && frame.y.place(of: $0.y + $1).isFinite
    }
    guard edges.count > 1 else { return "" }
    func place(_ x: Double, _ y: Double) -> String {
      "\(Wording.coordinate(frame.place(x: x))) \(Wording.coordinate(frame.place(y: y)))"
    }
    let upper = edges.map { place($0.x, $0.y + $1) }
    let lower = edges.reversed().map { place($0.x, $0.y - $1) }
    let path = (upper + lower).joined(separator: "L")
    return "<path class=\"band c\(series.colour)\" d=\"M\(path)Z\"/>"
  }
}
