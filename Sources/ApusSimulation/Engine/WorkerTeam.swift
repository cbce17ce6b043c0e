// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Synchronization

/// Threads that share out items of work: whoever is free takes the next one.
///
/// The threads are made once and sleep between rounds. An item is taken with one atomic addition, so no
/// lock is on a worker's path.
final class WorkerTeam: Sendable {
  private struct State {
    /// Counts the pieces of work given out, so that a thread knows a new one.
    var generation = 0
    var work: (@Sendable (_ worker: Int) -> Void)?
    var runningCount = 0
    var isDismissed = false
  }

  /// What the threads wait on; it outlives the team until the last thread has seen its dismissal.
  private final class Board: @unchecked Sendable {
    // Sendable: `state` is only touched while `condition` is locked.
    let condition = NSCondition()
    var state = State()
  }

  let threadCount: Int
  private let board = Board()

  /// - Parameter threadCount: at least 1; the caller's thread is one of them.
  init(threadCount: Int) {
    precondition(threadCount > 0, "A team has at least one thread, not \(threadCount).")
    self.threadCount = threadCount
    for worker in 1..<max(threadCount, 1) {
      let thread = Thread { [board] in Self.serve(board, as: worker) }
      thread.name = "apus-worker-\(worker)"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  deinit {
    board.condition.withLock { board.state.isDismissed = true }
    board.condition.broadcast()
  }

  /// Calls `body` once for every item in `0..<count`, on all threads, and returns when all are done.
  ///
  /// - Parameters:
  ///   - count: how many items there are.
  ///   - body: given the worker, in `0..<threadCount`, and the item. Two calls with the same worker
  ///     never overlap.
  func forEach(count: Int, _ body: @Sendable (_ worker: Int, _ item: Int) -> Void) {
    let next = NextItem()
    withoutActuallyEscaping(body) { body in
      onAllThreads { worker in
        while case let item = next.take(), item < count { body(worker, item) }
      }
    }
  }

  private final class NextItem: Sendable {
    private let value = Atomic(0)
    func take() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
  }

  private func onAllThreads(_ work: @escaping @Sendable (_ worker: Int) -> Void) {
    board.condition.withLock {
      board.state.work = work
      board.state.generation += 1
      board.state.runningCount = threadCount - 1
    }
    board.condition.broadcast()
    work(0)
    board.condition.withLock {
      while board.state.runningCount > 0 { board.condition.wait() }
      board.state.work = nil
    }
  }

  private static func serve(_ board: Board, as worker: Int) {
    var seen = 0
    while takePart(board, as: worker, &seen) {
      board.condition.withLock { board.state.runningCount -= 1 }
      board.condition.broadcast()
    }
  }

  /// Waits for work and does it; false when the team is dismissed.
  ///
  /// Never inlined: when it returns, the thread has let go of the closure, which must not outlive its call.
  @inline(never)
  private static func takePart(_ board: Board, as worker: Int, _ seen: inout Int) -> Bool {
    board.condition.lock()
    while board.state.generation == seen && !board.state.isDismissed { board.condition.wait() }
    let work = board.state.isDismissed ? nil : board.state.work
    seen = board.state.generation
    board.condition.unlock()
    guard let work else { return false }
    work(worker)
    return true
  }
}
