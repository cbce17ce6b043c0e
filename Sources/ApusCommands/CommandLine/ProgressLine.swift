// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Synchronization

/// One line on a terminal that is written again and again, while rows of results pass above it.
///
/// Where no person watches it writes nothing.
package final class ProgressLine: Sendable {
  private struct State {
    var text: String
    var isShown = false
    var isFinished = false
    /// Ticks since the text came.
    var ticks = 0
    var drawn: ContinuousClock.Instant?
  }

  private let state: Mutex<State>
  private let console: Console

  /// - Parameters:
  ///   - text: what is being done.
  ///   - console: where; the line is on its messages.
  package init(_ text: String, on console: Console) {
    self.console = console
    state = Mutex(State(text: text))
    guard console.messages.isInteractive, console.verbosity > .quiet else { return }
    // Twice a second, so that a long round is seen to live.
    let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "apus.progress"))
    timer.schedule(deadline: .now() + 0.5, repeating: 0.5)
    // It is held by what it does, until that ends it.
    timer.setEventHandler { [weak self] in
      if self?.tick() != true { timer.cancel() }
    }
    timer.resume()
  }

  private func tick() -> Bool {
    state.withLock { state in
      guard !state.isFinished else { return false }
      state.ticks += 1
      draw(&state)
      return true
    }
  }

  /// Says what is being done now.
  package func update(_ text: String) {
    state.withLock { state in
      state.text = text
      state.ticks = 0
      // Rounds may be faster than eyes; the next tick shows what is passed over here.
      let isRecent = state.isShown && state.drawn.map { .now - $0 < .milliseconds(50) } ?? false
      if console.messages.isInteractive, console.verbosity > .quiet, !isRecent { draw(&state) }
    }
  }

  /// Prints a row of results above the line.
  package func print(_ line: String) {
    state.withLock { state in
      clear(&state)
      console.print(line)
    }
  }

  /// Prints a message above the line.
  package func note(_ line: String) {
    state.withLock { state in
      clear(&state)
      console.note(line)
    }
  }

  /// Takes the line away.
  package func finish() {
    state.withLock { state in
      clear(&state)
      state.isFinished = true
    }
  }

  private func draw(_ state: inout State) {
    guard !state.isFinished else { return }
    let marks: [Character] = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇"]
    let waited = state.ticks >= 10 ? " (\(Cell.duration(Double(state.ticks) / 2)))" : ""
    let line = "\(marks[state.ticks % marks.count]) \(state.text)\(waited)"
    let shown = String(line.prefix(max(10, console.messages.width - 1)))
    console.messages.print("\r\u{1B}[K" + console.messages.styled(shown, .faint))
    state.isShown = true
    state.drawn = .now
  }

  private func clear(_ state: inout State) {
    if state.isShown { console.messages.print("\r\u{1B}[K") }
    state.isShown = false
  }
}

/// How long the rest will take, from how long the part that is done took.
package struct Estimate {
  private let start: ContinuousClock.Instant
  private let first: Int
  private let last: Int

  /// Counts from `first` steps done to `last`.
  package init(from first: Int, to last: Int, startingAt start: ContinuousClock.Instant) {
    self.first = first
    self.last = last
    self.start = start
  }

  /// Seconds until the last step is done, where at least one step was.
  package func secondsLeft(after done: Int, at now: ContinuousClock.Instant) -> Double? {
    guard done > first, done <= last else { return nil }
    let spent = (now - start) / .seconds(1)
    return spent / Double(done - first) * Double(last - done)
  }
}
