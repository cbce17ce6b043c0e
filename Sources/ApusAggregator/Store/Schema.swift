// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The tables of the database, and how a database of an earlier version becomes one of this.
package enum Schema {
  /// "Apus" in ASCII: what says that a SQLite file is ours.
  static let applicationID: Int32 = 0x4170_7573

  /// What each version adds to the one before, statement by statement; the first to an empty database.
  ///
  /// A version that was released stays as it is; what comes later is a new one. Each domain writes its
  /// tables in a file of its own, and they are listed here.
  static let versions: [[String]] = [
    [
      Incarnation.tables,
      Idempotency.tables,
      AuditLog.tables,
      BlobTables.tables,
      EnrolmentTables.tables,
      EngineTables.tables,
    ].flatMap { $0 }
  ]

  /// Makes a database one of the newest version, in one transaction.
  ///
  /// - Throws: `foreign-store` for a SQLite file of another program, `newer-store` for one of a later
  ///   version of this; both are left as they were.
  static func migrate(_ database: Database, path: String) throws(AggregatorError) {
    let id: Int32 = try pragma("application_id", of: database)
    let version: Int = try pragma("user_version", of: database)
    let tableCount: Int =
      try database.first("SELECT count(*) FROM sqlite_schema") {
        row throws(AggregatorError) in try row[0]
      } ?? 0
    guard id == applicationID || (id == 0 && version == 0 && tableCount == 0) else {
      throw AggregatorError(
        .foreignStore, "\(path) is a database of another program. Choose another data directory.")
    }
    guard version <= versions.count else {
      throw AggregatorError(
        .newerStore,
        "\(path) was written by a later version of Apus (format \(version); this one knows "
          + "\(versions.count)). Use that version, or restore a backup made before the upgrade.")
    }
    guard version < versions.count || id != applicationID else { return }
    try database.execute("BEGIN IMMEDIATE")
    for statement in versions[version...].joined() { try database.execute(statement) }
    try database.execute("PRAGMA application_id = \(applicationID)")
    try database.execute("PRAGMA user_version = \(versions.count)")
    try database.execute("COMMIT")
  }

  private static func pragma<Value: SQLConvertible>(
    _ name: String, of database: Database
  ) throws(AggregatorError) -> Value {
    guard
      let value: Value = try database.first(
        "PRAGMA \(name)", [], { row throws(AggregatorError) in try row[0] })
    else { throw AggregatorError(.damagedStore, "SQLite knows no PRAGMA \(name).") }
    return value
  }
}

/// Which start of the aggregator the database belongs to: the fence against an earlier one that still
/// runs.
package enum Incarnation {
  static let tables = [
    """
    CREATE TABLE incarnation (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      epoch INTEGER NOT NULL,
      started_ms INTEGER NOT NULL
    ) STRICT
    """,
    "INSERT INTO incarnation VALUES (1, 0, 0)",
  ]

  /// Begins the next epoch, durably.
  ///
  /// - Returns: the epoch; the first is 1.
  static func begin(in database: Database, time: Int64) throws(AggregatorError) -> UInt64 {
    try database.execute("BEGIN IMMEDIATE")
    try database.run("UPDATE incarnation SET epoch = epoch + 1, started_ms = ?", [time])
    let epoch = try current(of: database)
    try database.execute("COMMIT")
    return epoch
  }

  static func current(of database: Database) throws(AggregatorError) -> UInt64 {
    let epoch: UInt64? = try database.first("SELECT epoch FROM incarnation") {
      row throws(AggregatorError) in try row[0]
    }
    guard let epoch else { throw AggregatorError(.damagedStore, "The database has no epoch.") }
    return epoch
  }
}

extension AggregatorError.Code {
  /// A database belongs to another program.
  public static let foreignStore = Self(rawValue: "foreign-store")
  /// A database was written by a later version of this program.
  public static let newerStore = Self(rawValue: "newer-store")
}
