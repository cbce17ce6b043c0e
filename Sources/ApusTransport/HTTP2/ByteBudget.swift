// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Bytes that windows may grow by, for messages that do not fit into the small windows that all streams have.
///
/// Streams that find no room wait in the order in which they asked; a grant is for a whole message, so that what was
/// begun can be finished.
struct ByteBudget<Holder: Hashable> {
  let limit: Int
  private(set) var used = 0
  private var waiting: [(holder: Holder, count: Int)] = []

  init(limit: Int) { self.limit = limit }

  var waitingCount: Int { waiting.count }

  /// Asks for bytes; false when the holder has to wait.
  mutating func request(_ count: Int, for holder: Holder) -> Bool {
    // One that asks for more than there is gets it when it is alone: message sizes are bounded elsewhere.
    if waiting.isEmpty, used + count <= limit || used == 0 {
      used += count
      return true
    }
    waiting.append((holder, count))
    return false
  }

  /// Gives bytes back; returns whose turn it is now, with how many.
  mutating func release(_ count: Int) -> [(holder: Holder, count: Int)] {
    used -= count
    var granted: [(holder: Holder, count: Int)] = []
    while let next = waiting.first, used + next.count <= limit || used == 0 {
      used += next.count
      granted.append(next)
      waiting.removeFirst()
    }
    return granted
  }

  /// No longer waits; returns whose turn it is now.
  mutating func withdraw(_ holder: Holder) -> [(holder: Holder, count: Int)] {
    waiting.removeAll { $0.holder == holder }
    return release(0)
  }
}
