// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusWire
internal import Dispatch
internal import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The aggregator's durable state: one SQLite database that one thread writes.
///
/// What ``write(_:)`` has returned from survives the loss of power. An error that leaves in doubt what
/// is durable (a failed fsync above all) is never tried again: it is told to `onFatal`, which ends the
/// process, and the next start goes on from what is known to be durable.
package final class Store: Sendable {
  /// Where the database, and all else that the aggregator keeps, is.
  package let directory: String
  /// Of this incarnation: rises with every start, from 1.
  package let epoch: UInt64

  private let lock: DirectoryLock
  private let writer: StoreWriter
  private let readers: [StoreReader]
  private let nextReader = Atomic<UInt>(0)
  private let clock: @Sendable () -> Int64

  /// Opens the state in a directory, or begins it, and begins the next epoch.
  ///
  /// - Parameters:
  ///   - directory: made where it is not there, for its owner only.
  ///   - clock: milliseconds since 1970 (UTC).
  ///   - onFatal: is told of the first error after which nothing may go on; must end the process.
  ///     Everything that is asked of the store afterwards throws the same error.
  /// - Returns: the store, which is the only one in its directory.
  /// - Throws: `directory-in-use`, `newer-store`, `foreign-store`, `damaged-store`, `file-system`,
  ///   `disk-full`.
  package static func open(
    _ directory: String, clock: @escaping @Sendable () -> Int64 = Store.systemTime,
    onFatal: @escaping @Sendable (AggregatorError) -> Void = Store.exitProcess
  ) throws(AggregatorError) -> Store {
    try Store(directory, clock: clock, onFatal: onFatal)
  }

  private init(
    _ directory: String, clock: @escaping @Sendable () -> Int64,
    onFatal: @escaping @Sendable (AggregatorError) -> Void
  ) throws(AggregatorError) {
    lock = try DirectoryLock(directory)
    self.directory = directory
    self.clock = clock
    let path = directory + "/apus.sqlite"
    let database = try Self.connect(to: path)
    try Schema.migrate(database, path: path)
    epoch = try Incarnation.begin(in: database, time: clock())
    // What a predecessor left in the log may be in the system's memory only, if its fsync failed. Moved to the
    // database file it is written anew, and its fsync counts.
    try database.checkpoint(truncating: true)
    do {
      try DurableFile.synchronize(directory: directory)
    } catch {
      throw AggregatorError(.fileSystem, error.message, cause: error)
    }
    writer = StoreWriter(database, epoch: epoch, clock: clock, onFatal: onFatal)
    var readers: [StoreReader] = []
    for _ in 0..<2 {
      let database = try Self.connect(to: path)
      try database.execute("PRAGMA query_only = ON")
      readers.append(StoreReader(database))
    }
    self.readers = readers
  }

  /// Runs a closure in a transaction; returns when that is durable.
  ///
  /// Closures that wait together share one commit. What one of them throws undoes its own writes only,
  /// and is thrown here, after the commit.
  /// - Throws: what `body` throws; `fenced` where a later incarnation has begun; the error that was
  ///   fatal to the store; `store-closed`.
  @discardableResult
  package func write<Value: Sendable>(
    _ body: @escaping @Sendable (Transaction) throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      writer.add(WriteJob(body: body, continuation: continuation))
    }
  }

  /// Runs a closure on one consistent state that is durable, and at least as new as every `write` that
  /// has returned.
  ///
  /// - Throws: what `body` throws; the error that was fatal to the store; `store-closed`.
  package func read<Value: Sendable>(
    _ body: @escaping @Sendable (Transaction) throws -> Value
  ) async throws -> Value {
    if let error = writer.stopped { throw error }
    let index = nextReader.add(1, ordering: .relaxed).oldValue
    let reader = readers[Int(index % UInt(readers.count))]
    let (epoch, clock, writer) = (epoch, clock, writer)
    return try await withCheckedThrowingContinuation { continuation in
      reader.run { database in
        let transaction = Transaction(database: database, epoch: epoch, time: clock())
        let result = Result {
          try database.execute("BEGIN")
          defer { try? database.execute("ROLLBACK") }
          return try body(transaction)
        }
        if let failure = database.fatalFailure { writer.stop(AggregatorError(failure)) }
        continuation.resume(with: result)
      }
    }
  }

  /// Says that something outside of the database has failed that leaves in doubt what is durable.
  package func fail(_ error: AggregatorError) { writer.stop(error) }

  /// Waits for what was asked, and closes the database; whatever comes later throws `store-closed`.
  package func close() async {
    await withCheckedContinuation { continuation in
      writer.close { continuation.resume() }
    }
  }

  /// Milliseconds since 1970 (UTC), as the system's clock says.
  package static let systemTime: @Sendable () -> Int64 = {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }

  /// Says what was fatal, and ends the process with 74 (EX_IOERR) without any further write.
  package static let exitProcess: @Sendable (AggregatorError) -> Void = { error in
    report("apus: the aggregator's state cannot be written; it stops here. \(error.message)\n")
    _exit(74)
  }

  private static func connect(to path: String) throws(AggregatorError) -> Database {
    let database = try Database(path: path)
    // First of all: nothing is read of a database that may not be one.
    try database.execute(
      """
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = ON;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -4096;
      """)
    return database
  }
}

/// Writes to standard error without a buffer that an exit would lose.
private func report(_ text: String) {
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    if count <= 0 { break }
    bytes = bytes.dropFirst(count)
  }
}

extension AggregatorError.Code {
  /// A later incarnation of the aggregator has begun; this one must end.
  public static let fenced = Self(rawValue: "fenced")
  /// The store was closed.
  public static let storeClosed = Self(rawValue: "store-closed")
}
