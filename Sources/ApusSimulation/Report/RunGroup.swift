// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Runs of one recipe that differ in nothing but their seeds.
struct RunGroup: Sendable {
  /// What tells this group from the others of a report.
  let label: String
  let runs: [RecordedRun]
  /// The place in the palette.
  let colour: Int

  /// How many colours there are.
  static let paletteCount = 7

  /// Groups in the order in which their first runs come.
  static func grouped(_ runs: [RecordedRun]) -> [RunGroup] {
    var order: [Set<Substring>] = []
    var members: [Set<Substring>: [RecordedRun]] = [:]
    for run in runs {
      let settings = settings(of: run.recipe)
      if members[settings] == nil { order.append(settings) }
      members[settings, default: []].append(run)
    }
    let common = order.dropFirst().reduce(order.first ?? []) { $0.intersection($1) }
    let hasOneName = Set(runs.map(\.name)).count == 1
    return order.enumerated().map { index, settings in
      let members = members[settings] ?? []
      let name = members.first?.name ?? ""
      let difference = difference(settings.subtracting(common))
      let label =
        order.count == 1 || difference.isEmpty
        ? name : hasOneName ? difference : "\(name): \(difference)"
      return RunGroup(label: label, runs: members, colour: index % paletteCount)
    }
  }

  // A recipe as the set of its settings, seed aside: it is cut where JSON5 separates them.
  private static func settings(of recipe: String) -> Set<Substring> {
    let pieces = recipe.split { ",{}\n".contains($0) }
      .map { $0.trimmed() }
    return Set(
      pieces.filter { piece in
        !piece.isEmpty && !piece.hasPrefix("//")
          && piece.prefixMatch(of: /["']?seed["']?\s*:/) == nil
      })
  }

  private static func difference(_ settings: Set<Substring>) -> String {
    let words = settings.filter { $0.prefixMatch(of: /["']?name["']?\s*:/) == nil }
      .map { $0.filter { $0 != "\"" && $0 != "'" } }.sorted().joined(separator: ", ")
    return words.count > 60 ? words.prefix(59) + "…" : words
  }

  /// The curves of a measure: a run's own, or the seeds' mean with a band of one standard
  /// deviation, and behind it each seed's.
  func series(
    of measure: (RoundRecord) -> Double?, label: String, colour: Int, isDashed: Bool = false
  ) -> [Series] {
    let curves = runs.map { $0.values(of: measure) }.filter { !$0.isEmpty }
    if curves.count < 2 {
      return curves.map {
        Series(label: label, colour: colour, weight: .bold, isDashed: isDashed, points: $0)
      }
    }
    var mean = Series(
      label: "\(label) (\(curves.count) seeds)", colour: colour, weight: .bold, isDashed: isDashed,
      points: [])
    var values: [Double: [Double]] = [:]
    for point in curves.joined() { values[point.x, default: []].append(point.y) }
    // Where one seed has stopped early, the mean of the others would jump.
    for (x, ys) in values.sorted(by: { $0.key < $1.key }) where ys.count == curves.count {
      mean.points.append(
        Point(x: x, y: ys.allSatisfy(\.isFinite) ? ys.reduce(0, +) / Double(ys.count) : .nan))
      mean.spread.append(standardDeviation(ys) ?? 0)
    }
    let faint = curves.map {
      Series(label: nil, colour: colour, weight: .faint, isDashed: isDashed, points: $0)
    }
    return faint + [mean]
  }
}

extension Substring {
  fileprivate func trimmed() -> Substring {
    let start = drop { $0.isWhitespace }
    return start.prefix(
      upTo: start.lastIndex { !$0.isWhitespace }.map(start.index(after:)) ?? start.startIndex)
  }
}
