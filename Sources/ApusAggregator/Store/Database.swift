// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CSQLite

/// One connection to a SQLite database, with its prepared statements.
///
/// Whoever has it uses it from one thread at a time.
package final class Database {
  private let handle: OpaquePointer
  /// Statements that are prepared and not in use.
  private var idle: [String: Statement] = [:]
  /// The first failure after which nothing more may be believed.
  package private(set) var fatalFailure: SQLiteFailure?
  /// Frames in the write-ahead log after the last commit of this connection.
  package private(set) var logFrameCount = 0

  /// Opens a database, or makes an empty one.
  ///
  /// - Throws: `file-system`, `damaged-store`.
  package init(path: String) throws(AggregatorError) {
    var handle: OpaquePointer?
    // No mutexes of SQLite's own: there is one thread at a time.
    let flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
      | SQLITE_OPEN_NOFOLLOW
    let status = sqlite3_open_v2(path, &handle, flags, nil)
    guard let handle, status == SQLITE_OK else {
      let failure = SQLiteFailure(
        code: status & 0xFF, extendedCode: status,
        message: handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory",
        statement: "open \(path)")
      sqlite3_close_v2(handle)
      throw AggregatorError(failure)
    }
    self.handle = handle
    sqlite3_busy_timeout(handle, 5_000)
    // A database that somebody else has made cannot run code here.
    apus_sqlite_defend(handle)
    let context = Unmanaged.passUnretained(self).toOpaque()
    // In place of SQLite's own hook, whose checkpoints would hide a failed fsync.
    sqlite3_wal_hook(
      handle,
      { context, _, _, frames in
        if let context {
          Unmanaged<Database>.fromOpaque(context).takeUnretainedValue().logFrameCount = Int(frames)
        }
        return SQLITE_OK
      }, context)
  }

  deinit {
    idle.removeAll()
    sqlite3_close_v2(handle)
  }

  // MARK: Statements

  /// Runs a statement, or a row of it, to its end.
  ///
  /// - Returns: how many rows it changed.
  /// - Throws: `constraint`, `store-busy`, `disk-full`, `file-system`, `damaged-store`,
  ///   `invalid-statement`.
  @discardableResult
  package func run(
    _ sql: String, _ bindings: [any SQLConvertible] = []
  ) throws(AggregatorError) -> Int {
    try with(sql, bindings) { statement throws(AggregatorError) in
      while try step(statement) {}
    }
    return Int(sqlite3_changes64(handle))
  }

  /// Every row that a statement gives, as `body` reads it.
  ///
  /// - Throws: as ``run(_:_:)``, and what `body` throws.
  package func rows<Value>(
    _ sql: String, _ bindings: [any SQLConvertible] = [],
    _ body: (Row) throws(AggregatorError) -> Value
  ) throws(AggregatorError) -> [Value] {
    var values: [Value] = []
    try with(sql, bindings) { statement throws(AggregatorError) in
      while try step(statement) { values.append(try body(Row(statement: statement.pointer))) }
    }
    return values
  }

  /// The first row that a statement gives; nil where it gives none.
  ///
  /// - Throws: as ``run(_:_:)``, and what `body` throws.
  package func first<Value>(
    _ sql: String, _ bindings: [any SQLConvertible] = [],
    _ body: (Row) throws(AggregatorError) -> Value
  ) throws(AggregatorError) -> Value? {
    var value: Value?
    try with(sql, bindings) { statement throws(AggregatorError) in
      if try step(statement) { value = try body(Row(statement: statement.pointer)) }
    }
    return value
  }

  /// Runs statements without bindings, divided by semicolons.
  ///
  /// - Throws: as ``run(_:_:)``.
  package func execute(_ script: String) throws(AggregatorError) {
    let status = sqlite3_exec(handle, script, nil, nil, nil)
    if status != SQLITE_OK { throw failure(status, script) }
  }

  /// Moves what is in the write-ahead log into the database file and makes it durable there.
  ///
  /// - Parameter truncating: waits for readers, and leaves an empty log.
  /// - Throws: as ``run(_:_:)``.
  package func checkpoint(truncating: Bool) throws(AggregatorError) {
    let mode = truncating ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
    var frames: Int32 = 0
    var moved: Int32 = 0
    let status = sqlite3_wal_checkpoint_v2(handle, nil, mode, &frames, &moved)
    if status != SQLITE_OK { throw failure(status, "checkpoint") }
    if frames == moved { logFrameCount = 0 }
  }

  /// Whether a transaction is open.
  package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  /// The key of the row that was inserted last.
  package var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }

  // MARK: Private

  private func with(
    _ sql: String, _ bindings: [any SQLConvertible],
    _ body: (Statement) throws(AggregatorError) -> Void
  ) throws(AggregatorError) {
    // Taken out while in use: a statement within the rows of its like gets one of its own.
    let statement: Statement
    if let known = idle.removeValue(forKey: sql) {
      statement = known
    } else {
      statement = try prepare(sql)
    }
    defer {
      sqlite3_reset(statement.pointer)
      sqlite3_clear_bindings(statement.pointer)
      idle[sql] = statement
    }
    let count = Int(sqlite3_bind_parameter_count(statement.pointer))
    precondition(
      count == bindings.count, "\(bindings.count) values for \(count) places in: \(sql)")
    for (index, binding) in bindings.enumerated() {
      let status = statement.bind(binding.sqlValue, at: Int32(index + 1))
      if status != SQLITE_OK { throw failure(status, sql) }
    }
    try body(statement)
  }

  private func prepare(_ sql: String) throws(AggregatorError) -> Statement {
    var pointer: OpaquePointer?
    let status = sqlite3_prepare_v3(
      handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &pointer, nil)
    guard status == SQLITE_OK, let pointer else { throw failure(status, sql) }
    return Statement(pointer: pointer, sql: sql)
  }

  private func step(_ statement: Statement) throws(AggregatorError) -> Bool {
    switch sqlite3_step(statement.pointer) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let status: throw failure(status, statement.sql)
    }
  }

  private func failure(_ status: Int32, _ sql: String) -> AggregatorError {
    let failure = SQLiteFailure(
      code: status & 0xFF, extendedCode: status, message: String(cString: sqlite3_errmsg(handle)),
      statement: sql)
    if failure.isFatal && fatalFailure == nil { fatalFailure = failure }
    return AggregatorError(failure)
  }
}

/// A prepared statement.
private final class Statement {
  let pointer: OpaquePointer
  let sql: String

  init(pointer: OpaquePointer, sql: String) {
    self.pointer = pointer
    self.sql = sql
  }

  deinit { sqlite3_finalize(pointer) }

  func bind(_ value: SQLValue, at index: Int32) -> Int32 {
    switch value {
    case .null: sqlite3_bind_null(pointer, index)
    case .integer(let value): sqlite3_bind_int64(pointer, index, value)
    case .real(let value): sqlite3_bind_double(pointer, index, value)
    case .text(var value):
      value.withUTF8 { bytes in
        apus_sqlite_bind_text(pointer, index, bytes.baseAddress, UInt64(bytes.count))
      }
    case .blob(let value):
      value.withUnsafeBytes { bytes in
        apus_sqlite_bind_blob(pointer, index, bytes.baseAddress, UInt64(bytes.count))
      }
    }
  }
}

/// A row that a statement gives; good only within the closure that it is handed to.
package struct Row {
  fileprivate let statement: OpaquePointer

  /// The value of a column, counted from 0.
  ///
  /// - Throws: `damaged-store` where the column holds another type, or nothing.
  package subscript<Value: SQLConvertible>(_ column: Int32) -> Value {
    get throws(AggregatorError) {
      precondition(column < sqlite3_column_count(statement), "There is no column \(column).")
      guard let value = Value(sqlValue: self.value(at: column)) else {
        let name = sqlite3_column_name(statement, column).map { String(cString: $0) } ?? "\(column)"
        throw AggregatorError(
          .damagedStore,
          "The column \(name) does not hold what was expected, \(Value.self). The database is of "
            + "another version, or damaged.")
      }
      return value
    }
  }

  private func value(at column: Int32) -> SQLValue {
    switch sqlite3_column_type(statement, column) {
    case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
    case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, column))
    case SQLITE_TEXT:
      let bytes = UnsafeBufferPointer(
        start: sqlite3_column_text(statement, column),
        count: Int(sqlite3_column_bytes(statement, column)))
      return .text(String(decoding: bytes, as: UTF8.self))
    case SQLITE_BLOB:
      let bytes = UnsafeRawBufferPointer(
        start: sqlite3_column_blob(statement, column),
        count: Int(sqlite3_column_bytes(statement, column)))
      return .blob([UInt8](bytes))
    default: return .null
    }
  }
}
