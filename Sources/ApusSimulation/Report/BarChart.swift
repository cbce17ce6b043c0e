// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Bars over rounds, their parts stacked; many rounds share a bar, which then shows their mean.
struct BarChart: Sendable {
  struct Part: Sendable {
    var label: String
    var colour: Int
    /// A value for each round.
    var values: [Double]
  }

  struct Bar: Sendable {
    /// The first and the last of the rounds in it.
    var rounds: ClosedRange<Int>
    /// The mean of each part.
    var heights: [Double]

    var middle: Double { Double(rounds.lowerBound + rounds.upperBound) / 2 }
  }

  var title: String
  /// The round of each value, ascending.
  var rounds: [Int]
  var parts: [Part]
  var format: @Sendable (Double) -> String
  var tick: @Sendable (Double) -> String
  var isWhole = false
  var width = 512.0
  var height = 260.0

  static let barLimit = 120

  var hasValues: Bool { parts.contains { $0.values.contains { $0.isFinite && $0 > 0 } } }

  var bars: [Bar] {
    let size = max(1, (rounds.count + Self.barLimit - 1) / Self.barLimit)
    return stride(from: 0, to: rounds.count, by: size).map { start in
      let range = start..<min(start + size, rounds.count)
      return Bar(
        rounds: rounds[range.lowerBound]...rounds[range.upperBound - 1],
        heights: parts.map { part in max(mean(part.values[range]) ?? 0, 0) })
    }
  }

  var description: String {
    parts.map { "\($0.label): \(format(mean($0.values) ?? 0)) a round in the mean." }
      .joined(separator: " ")
  }

  func frame(for bars: [Bar]) -> ChartFrame {
    let ends = [Double(rounds.first ?? 1) - 0.5, Double(rounds.last ?? 1) + 0.5]
    return ChartFrame(
      width: width, height: height,
      x: Axis(over: ends, tickCount: 6, isTight: true, isWhole: true),
      y: Axis(
        over: bars.map { $0.heights.reduce(0, +) } + [0], within: 0 ... .infinity, tickCount: 4,
        isWhole: isWhole))
  }

  func marks(of bars: [Bar], in frame: ChartFrame) -> String {
    var svg = frame.grid(xLabel: "round", yFormat: tick)
    for bar in bars {
      let room =
        frame.place(x: Double(bar.rounds.upperBound) + 0.5)
        - frame.place(x: Double(bar.rounds.lowerBound) - 0.5)
      let width = min(max(room - min(2, room * 0.18), 0.3), 44)
      let start = frame.place(x: bar.middle) - width / 2
      var base = 0.0
      svg += "<g>"
      for (part, height) in zip(parts, bar.heights) where height > 0 {
        let bottom = frame.place(y: base)
        base += height
        let top = frame.place(y: base)
        svg += "<rect class=\"bar c\(part.colour)\" x=\"\(Wording.coordinate(start))\" "
        svg += "y=\"\(Wording.coordinate(top))\" "
        svg += "width=\"\(Wording.coordinate(width))\" "
        svg += "height=\"\(Wording.coordinate(bottom - top))\"/>"
      }
      svg += "<title>\(Wording.escaped(words(for: bar)))</title></g>"
    }
    return svg
  }

  static func heading(of bar: Bar) -> String {
    bar.rounds.count == 1
      ? "round \(bar.rounds.lowerBound)"
      : "rounds \(bar.rounds.lowerBound) to \(bar.rounds.upperBound), mean"
  }

  private func words(for bar: Bar) -> String {
    let values = zip(parts, bar.heights).map { "\($0.label) \(format($1))" }
    return "\(Self.heading(of: bar)): \(values.joined(separator: ", "))"
  }
}
