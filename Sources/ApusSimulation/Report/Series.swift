// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A point of a curve; a y that is not finite is a gap.
struct Point: Hashable, Sendable {
  var x: Double
  var y: Double
}

/// A curve of a chart, with what is around it.
struct Series: Sendable {
  enum Weight: String, Sendable {
    case bold, plain, faint
  }

  /// The name in the legend; nil for curves that need none.
  var label: String?
  /// The place in the palette; the same for everything that belongs together.
  var colour: Int
  var weight = Weight.plain
  var isDashed = false
  /// x ascending.
  var points: [Point]
  /// The half-width of a band around each point, of the same count, or empty.
  var spread: [Double] = []

  /// At most about `limit` points: of each stretch of x the lowest and the highest, so that spikes
  /// stay, and the stretch's first gap.
  func decimated(to limit: Int) -> Series {
    guard points.count > limit, limit >= 4 else { return self }
    let stretch = (points.count * 2 + limit - 1) / limit
    var kept: [Int] = [0]
    for start in stride(from: 0, to: points.count, by: stretch) {
      let range = start..<Swift.min(start + stretch, points.count)
      let finite = range.filter { points[$0].y.isFinite }
      var chosen = range.first { !points[$0].y.isFinite }.map { [$0] } ?? []
      if let low = finite.min(by: { points[$0].y < points[$1].y }),
        let high = finite.max(by: { points[$0].y < points[$1].y })
      {
        chosen += [low, high]
      }
      for index in Set(chosen).sorted() where kept.last != index { kept.append(index) }
    }
    if kept.last != points.count - 1 { kept.append(points.count - 1) }
    var series = self
    series.points = kept.map { points[$0] }
    if !spread.isEmpty { series.spread = kept.map { spread[$0] } }
    return series
  }

  /// The means of stretches of `size` points, each at the middle of its stretch; gaps are left out.
  func smoothed(over size: Int) -> Series {
    var series = self
    series.spread = []
    let starts = Array(stride(from: 0, to: Swift.max(points.count - size / 2, 1), by: size))
    series.points = starts.compactMap { start in
      // What is left over at the end goes to the last stretch.
      let end = start == starts.last ? points.count : start + size
      let stretch = points[start..<end].filter(\.y.isFinite)
      guard let x = mean(stretch.map(\.x)), let y = mean(stretch.map(\.y)) else { return nil }
      return Point(x: x, y: y)
    }
    return series
  }

  /// The value at `x`, or the last one before it.
  func value(at x: Double) -> Double? {
    var low = 0
    var high = points.count
    while low < high {
      let middle = (low + high) / 2
      if points[middle].x <= x { low = middle + 1 } else { high = middle }
    }
    guard low > 0, x <= (points.last?.x ?? x) else { return nil }
    return points[low - 1].y
  }
}

/// The arithmetic mean of the finite values; nil when there are none.
func mean(_ values: some Sequence<Double>) -> Double? {
  let finite = values.filter(\.isFinite)
  return finite.isEmpty ? nil : finite.reduce(0, +) / Double(finite.count)
}

/// The sample standard deviation (n − 1) of the finite values; nil for fewer than two.
func standardDeviation(_ values: some Sequence<Double>) -> Double? {
  let finite = values.filter(\.isFinite)
  guard finite.count > 1, let mean = mean(finite) else { return nil }
  let squares = finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (squares / Double(finite.count - 1)).squareRoot()
}
