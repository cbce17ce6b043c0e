// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Things that wait for a moment, the earliest first; those of one moment in the order of their coming.
struct ExpiryHeap<Element: Sendable>: Sendable {
  private struct Entry: Sendable {
    var time: Duration
    var ordinal: UInt64
    var element: Element

    static func < (a: Entry, b: Entry) -> Bool {
      a.time == b.time ? a.ordinal < b.ordinal : a.time < b.time
    }
  }

  private var entries: [Entry] = []
  private var ordinal: UInt64 = 0

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }

  /// The earliest.
  var first: (time: Duration, element: Element)? { entries.first.map { ($0.time, $0.element) } }

  /// - Complexity: O(log n).
  mutating func insert(_ element: Element, at time: Duration) {
    entries.append(Entry(time: time, ordinal: ordinal, element: element))
    ordinal += 1
    var place = entries.count - 1
    while place > 0, case let parent = (place - 1) / 2, entries[place] < entries[parent] {
      entries.swapAt(place, parent)
      place = parent
    }
  }

  /// - Complexity: O(log n).
  mutating func removeFirst() {
    guard !entries.isEmpty else { return }
    entries.swapAt(0, entries.count - 1)
    entries.removeLast()
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < entries.count {
        if entries[child] < entries[least] { least = child }
      }
      if least == place { return }
      entries.swapAt(place, least)
      place = least
    }
  }
}
