// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Bytes that may be under way at once, by all uploads together; who wants more waits its turn.
final class ByteBudget: Sendable {
  private struct State {
    var free: Int
    var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let limit: Int
  private let state: Mutex<State>

  init(_ limit: Int) {
    self.limit = limit
    state = Mutex(State(free: limit))
  }

  /// Waits until there is room, first come first served; more than there ever is counts as all.
  func take(_ count: Int) async {
    let count = min(count, limit)
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        guard state.waiting.isEmpty && state.free >= count else {
          state.waiting.append((count, continuation))
          return false
        }
        state.free -= count
        return true
      }
      if isFree { continuation.resume() }
    }
  }

  func giveBack(_ count: Int) {
    let next = state.withLock { state in
      state.free += min(count, limit)
      var next: [CheckedContinuation<Void, Never>] = []
      while let first = state.waiting.first, first.count <= state.free {
        state.free -= first.count
        next.append(first.continuation)
        state.waiting.removeFirst()
      }
      return next
    }
    for continuation in next { continuation.resume() }
  }
}
