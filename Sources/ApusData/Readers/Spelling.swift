// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Which right word a wrong one was meant to be.
package enum Spelling {
  /// The candidate that takes the fewest typing errors to become `word`.
  ///
  /// - Returns: nil where none is near: more errors than a third of the letters, at least one.
  package static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    let letters = Array(word.lowercased().prefix(64))
    let limit = max(1, letters.count / 3)
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
      let other = Array(candidate.lowercased().prefix(64))
      // An abbreviation is a beginning: "sim" for "simulate".
      let isBeginning = letters.count >= 3 && other.starts(with: letters)
      let distance = isBeginning ? 1 : distance(from: letters, to: other)
      if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.candidate
  }

  /// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`
  /// (optimal string alignment).
  ///
  /// - Complexity: O(`a.count` · `b.count`).
  package static func distance(from a: [Character], to b: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var cost = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          cost = min(cost, beforeLast[j - 1] + 1)
        }
        row.append(cost)
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }
}
