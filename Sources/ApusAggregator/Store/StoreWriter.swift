// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Synchronization

/// The one thread that writes, with group commit.
final class StoreWriter: @unchecked Sendable {
  // Sendable: `database` and `commitCount` are used on `queue` only, which runs one thing at a time;
  // all else is constant or behind `state`.
  private struct State {
    var waiting: [any PendingWrite] = []
    var isScheduled = false
    var stopped: AggregatorError?
  }

  /// How many closures share a commit at most.
  private static let batchLimit = 512
  /// Frames (of 4 KiB) in the write-ahead log from which on it is moved into the database: 8 MiB.
  private static let logLimit = 2_048

  private var database: Database?
  private let epoch: UInt64
  private let clock: @Sendable () -> Int64
  private let onFatal: @Sendable (AggregatorError) -> Void
  private let queue = DispatchQueue(label: "apus.store.writer")
  private let state = Mutex(State())

  init(
    _ database: Database, epoch: UInt64, clock: @escaping @Sendable () -> Int64,
    onFatal: @escaping @Sendable (AggregatorError) -> Void
  ) {
    self.database = database
    self.epoch = epoch
    self.clock = clock
    self.onFatal = onFatal
  }

  /// Why nothing more is written; nil as long as something is.
  var stopped: AggregatorError? { state.withLock(\.stopped) }

  func add(_ write: any PendingWrite) {
    let (stopped, mustSchedule) = state.withLock { state in
      if let stopped = state.stopped { return (stopped as AggregatorError?, false) }
      state.waiting.append(write)
      defer { state.isScheduled = true }
      return (nil, !state.isScheduled)
    }
    if let stopped { return write.fail(stopped) }
    if mustSchedule { queue.async { self.drain() } }
  }

  /// Ends everything with an error, once; the first error stays.
  func stop(_ error: AggregatorError) {
    let isFirst = state.withLock { state in
      defer { state.stopped = state.stopped ?? error }
      return state.stopped == nil
    }
    guard isFirst else { return }
    onFatal(error)
    queue.async { self.failWaiting() }
  }

  func close(_ done: @escaping @Sendable () -> Void) {
    queue.async {
      self.drain()
      self.state.withLock { state in
        state.stopped =
          state.stopped ?? AggregatorError(.storeClosed, "The aggregator's state was closed.")
      }
      self.failWaiting()
      self.database = nil
      done()
    }
  }

  // MARK: On the queue

  private func drain() {
    while true {
      let batch = state.withLock { state -> [any PendingWrite] in
        if state.stopped != nil || state.waiting.isEmpty {
          state.isScheduled = false
          return []
        }
        let batch = Array(state.waiting.prefix(Self.batchLimit))
        state.waiting.removeFirst(batch.count)
        return batch
      }
      guard !batch.isEmpty, let database else { break }
      do throws(AggregatorError) {
        try commit(batch, to: database)
      } catch {
        stop(error)
        for write in batch { write.fail(error) }
        break
      }
      Failpoint.afterCommitBeforeAck.hit()
      for write in batch { write.acknowledge() }
      do throws(AggregatorError) {
        // Here, and not by SQLite itself, which would not tell of a failed fsync.
        if database.logFrameCount > Self.logLimit { try database.checkpoint(truncating: false) }
      } catch {
        if database.fatalFailure != nil { stop(error) }
      }
    }
    failWaiting()
  }

  private func commit(
    _ batch: [any PendingWrite], to database: Database
  ) throws(AggregatorError) {
    try database.run("BEGIN IMMEDIATE")
    let current = try Incarnation.current(of: database)
    guard current == epoch else {
      try database.run("ROLLBACK")
      throw AggregatorError(
        .fenced,
        "Another incarnation of the aggregator (epoch \(current)) works with this data directory; "
          + "this one (epoch \(epoch)) must end.")
    }
    let transaction = Transaction(database: database, epoch: epoch, time: clock())
    for write in batch {
      try database.run("SAVEPOINT one")
      let isDone = write.run(in: transaction)
      if let failure = database.fatalFailure { throw AggregatorError(failure) }
      if !isDone { try database.run("ROLLBACK TO one") }
      try database.run("RELEASE one")
    }
    Failpoint.beforeCommit.hit()
    try database.run("COMMIT")
  }

  private func failWaiting() {
    let (error, batch) = state.withLock { state in
      guard let error = state.stopped else {
        return (nil as AggregatorError?, [any PendingWrite]())
      }
      defer { state.waiting = [] }
      return (error, state.waiting)
    }
    guard let error else { return }
    for write in batch { write.fail(error) }
  }
}

/// A closure that waits to be run in a transaction, whatever it returns.
protocol PendingWrite: AnyObject, Sendable {
  /// Runs it, and keeps what it gave; false where it threw.
  func run(in transaction: Transaction) -> Bool

  /// Says that it is durable, or what it threw.
  func acknowledge()

  /// Says that nothing was written.
  func fail(_ error: AggregatorError)
}

final class WriteJob<Value: Sendable>: PendingWrite, @unchecked Sendable {
  // Sendable: whoever makes it hands it to the writer's queue, which alone uses it from then on.
  private let body: @Sendable (Transaction) throws -> Value
  private let continuation: CheckedContinuation<Value, any Error>
  private var result: Result<Value, any Error>?

  init(
    body: @escaping @Sendable (Transaction) throws -> Value,
    continuation: CheckedContinuation<Value, any Error>
  ) {
    self.body = body
    self.continuation = continuation
  }

  func run(in transaction: Transaction) -> Bool {
    let result = Result { try body(transaction) }
    self.result = result
    if case .failure = result { return false }
    return true
  }

  func acknowledge() {
    guard let result else { preconditionFailure("A write was acknowledged before it ran.") }
    continuation.resume(with: result)
  }

  func fail(_ error: AggregatorError) { continuation.resume(throwing: error) }
}

/// A thread that reads, with a connection of its own.
final class StoreReader: @unchecked Sendable {
  // Sendable: `database` is used on `queue` only, which runs one thing at a time.
  private let database: Database
  private let queue = DispatchQueue(label: "apus.store.reader")

  init(_ database: Database) { self.database = database }

  func run(_ body: @escaping @Sendable (Database) -> Void) {
    queue.async { body(self.database) }
  }
}
