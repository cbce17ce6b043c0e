// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A moment at which something is to be done on a loop; there is at most one place for it in a heap.
final class LoopTimer {
  /// What is done when the moment has come; gets the loop's time in milliseconds.
  var action: (UInt64) -> Void
  /// When, in milliseconds of the loop's clock.
  fileprivate(set) var due: UInt64 = 0
  fileprivate var place = -1

  /// Whether it waits in a heap.
  var isScheduled: Bool { place >= 0 }

  init(action: @escaping (UInt64) -> Void) { self.action = action }
}

/// Timers by the moment that they are due: a binary heap in which each timer knows its place, so that one that is
/// no longer wanted goes at once and keeps nothing alive.
struct TimerHeap {
  private var timers: [LoopTimer] = []

  /// The next timer's moment.
  var earliest: UInt64? { timers.first?.due }

  var count: Int { timers.count }

  /// Puts a timer in, or moves it.
  ///
  /// - Complexity: O(log of the timers).
  mutating func schedule(_ timer: LoopTimer, at due: UInt64) {
    timer.due = due
    if timer.place < 0 {
      timer.place = timers.count
      timers.append(timer)
      rise(timer.place)
    } else {
      rise(timer.place)
      sink(timer.place)
    }
  }

  /// Takes a timer out, where it is in.
  mutating func cancel(_ timer: LoopTimer) {
    let place = timer.place
    guard place >= 0 else { return }
    swapPlaces(place, timers.count - 1)
    timers.removeLast()
    timer.place = -1
    if place < timers.count {
      rise(place)
      sink(place)
    }
  }

  /// Takes out a timer that is due at `now` or was before.
  mutating func popDue(at now: UInt64) -> LoopTimer? {
    guard let first = timers.first, first.due <= now else { return nil }
    cancel(first)
    return first
  }

  private mutating func rise(_ start: Int) {
    var place = start
    while place > 0, timers[place].due < timers[(place - 1) / 2].due {
      swapPlaces(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  private mutating func sink(_ start: Int) {
    var place = start
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2]
      where child < timers.count && timers[child].due < timers[least].due {
        least = child
      }
      guard least != place else { return }
      swapPlaces(place, least)
      place = least
    }
  }

  private mutating func swapPlaces(_ a: Int, _ b: Int) {
    guard a != b else { return }
    timers.swapAt(a, b)
    timers[a].place = a
    timers[b].place = b
  }
}
