// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusSimulation

@Suite("Charts of a report")
struct ReportChartTests {
  private func points(_ values: [Double]) -> [Point] {
    values.enumerated().map { Point(x: Double($0.offset), y: $0.element) }
  }

  @Test("An axis has round ticks, holds every value and keeps inside its limits")
  func linearAxis() {
    let axis = Axis(over: [0.103, 0.972, .nan], within: 0...1)
    #expect(axis.ticks.map { ($0 * 100).rounded() } == [0, 20, 40, 60, 80, 100])
    #expect(axis.place(of: 0) == 0)
    #expect(axis.place(of: 1) == 1)
    let rounds = Axis(over: [0, 3], tickCount: 10, isTight: true, isWhole: true)
    #expect(rounds.ticks == [0, 1, 2, 3])
  }

  @Test(
    "An axis over equal, no or unfit values is finite",
    arguments: [[], [0.5], [0, 0], [.nan], [.infinity, 1], [-3, -3], [1e300, 1e-300]])
  func degenerateAxis(values: [Double]) {
    for axis in [Axis(over: values), Axis(logarithmicOver: values)] {
      #expect(axis.low < axis.high)
      #expect(axis.place(of: (axis.low + axis.high) / 2).isFinite)
      #expect(axis.ticks.count < 30)
    }
  }

  @Test("Losses that span orders of magnitude get a logarithmic axis, others a linear one")
  func logarithmicLoss() {
    func isLogarithmic(_ values: [Double]) -> Bool {
      LineChart(title: "", measure: .loss, series: [Series(colour: 0, points: points(values))])
        .frame.y.isLogarithmic
    }
    #expect(isLogarithmic([2.3, 0.01]))
    #expect(!isLogarithmic([2.3, 0.3]))
    #expect(!isLogarithmic([2.3, 0]))
  }

  @Test("Decimation keeps ends, spikes and gaps, in order")
  func decimation() {
    var values = (0..<5000).map { Double($0 % 7) }
    values[1234] = 99
    values[3456] = -99
    values[4000] = .nan
    let decimated = Series(colour: 0, points: points(values)).decimated(to: 400)
    #expect(decimated.points.count <= 402)
    #expect(decimated.points.contains(Point(x: 1234, y: 99)))
    #expect(decimated.points.contains(Point(x: 3456, y: -99)))
    #expect(decimated.points.contains { $0.x == 4000 && $0.y.isNaN })
    #expect(decimated.points.first?.x == 0)
    #expect(decimated.points.last?.x == 4999)
    #expect(zip(decimated.points, decimated.points.dropFirst()).allSatisfy { $0.x < $1.x })
  }

  @Test("A curve is broken at a value that is not finite, and a lone point is a dot")
  func gaps() {
    let values = [1, 2, .nan, 3, .infinity, 4, 5] + Array(repeating: 5.0, count: 40)
    let chart = LineChart(
      title: "", measure: .loss, series: [Series(colour: 0, points: points(values))])
    let marks = chart.marks(in: chart.frame, id: "x")
    let path = marks.firstMatch(of: /class="curve plain c0" d="([^"]*)"/)?.output.1 ?? ""
    #expect(path.count { $0 == "M" } == 3)
    #expect(marks.matches(of: /<circle/).count == 1)
    #expect(!marks.contains("nan") && !marks.contains("inf"))
  }

  @Test("Bars are means over their rounds, and every round is in one")
  func bars() {
    let rounds = Array(1...1000)
    let chart = BarChart(
      title: "", rounds: rounds,
      parts: [.init(label: "a", colour: 0, values: rounds.map(Double.init))],
      format: { "\($0)" }, tick: { "\($0)" })
    let bars = chart.bars
    #expect(bars.count <= BarChart.barLimit)
    #expect(bars.flatMap { Array($0.rounds) } == rounds)
    #expect(bars[0].heights == [5])
  }

  @Test("Smoothing takes means of stretches, and gives what is left over to the last")
  func smoothing() {
    let series = Series(colour: 0, points: points([1, 3, 5, 7, .nan, 9, 100]))
    #expect(
      series.smoothed(over: 2).points
        == [Point(x: 0.5, y: 2), Point(x: 2.5, y: 6), Point(x: 5.5, y: 54.5)])
  }

  @Test("Text is escaped for markup, and control characters are replaced")
  func escaping() {
    #expect(Wording.escaped("a<b>&\"'\u{0}é\n") == "a&lt;b&gt;&amp;&quot;&#39;\u{FFFD}é\n")
  }

  @Test("Numbers are written as people write them")
  func wording() {
    #expect(Wording.percent(0.97125) == "97.12\u{202F}%")
    #expect(Wording.grouped(1_663_370) == "1,663,370")
    #expect(Wording.grouped(-999) == "−999")
    #expect(Wording.bytes(796_840) == "797\u{202F}kB")
    #expect(Wording.seconds(0.0123) == "12.3\u{202F}ms")
    #expect(Wording.seconds(3725) == "62\u{202F}min 5\u{202F}s")
    #expect(Wording.significant(.nan) == "NaN")
    #expect(Wording.meanAndDeviation([1, 3], { Wording.fixed($0, 1) }) == "2.0 ± 1.4")
  }
}
