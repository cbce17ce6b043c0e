// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CSQLite

/// What SQLite said of a statement that failed: the cause of an ``AggregatorError``.
package struct SQLiteFailure: Error, Hashable {
  /// The primary result code, for example 19 (SQLITE_CONSTRAINT).
  package let code: Int32
  /// The extended result code, for example 2067 (SQLITE_CONSTRAINT_UNIQUE).
  package let extendedCode: Int32
  /// In SQLite's words.
  package let message: String
  /// The statement, without the values bound to it.
  package let statement: String

  /// Whether what should have been unique was there already.
  package var isDuplicate: Bool {
    extendedCode == Self.unique || extendedCode == Self.primaryKey
  }

  /// Whether a row named another that is not there.
  package var isMissingReference: Bool { extendedCode == Self.foreignKey }

  // SQLITE_CONSTRAINT_UNIQUE and its like are sums of macros, which Swift does not import.
  private static let unique: Int32 = SQLITE_CONSTRAINT | 8 << 8
  private static let primaryKey: Int32 = SQLITE_CONSTRAINT | 6 << 8
  private static let foreignKey: Int32 = SQLITE_CONSTRAINT | 3 << 8

  /// After these nothing that the process believes of its database can be relied on any more: what
  /// was written may be lost without a further error (fsync), or is damaged.
  var isFatal: Bool {
    switch code {
    case SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_PROTOCOL:
      true
    default: false
    }
  }

  var errorCode: AggregatorError.Code {
    switch code {
    case SQLITE_CONSTRAINT: .constraint
    case SQLITE_CORRUPT, SQLITE_NOTADB: .damagedStore
    case SQLITE_FULL: .diskFull
    case SQLITE_BUSY, SQLITE_LOCKED: .storeBusy
    case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_PROTOCOL, SQLITE_READONLY, SQLITE_PERM: .fileSystem
    default: .invalidStatement
    }
  }
}

extension AggregatorError {
  init(_ failure: SQLiteFailure) {
    self.init(
      failure.errorCode,
      "SQLite: \(failure.message) (\(failure.extendedCode)) in: \(failure.statement)",
      cause: failure)
  }

  /// What SQLite said, where this came from it.
  package var sqlite: SQLiteFailure? { cause as? SQLiteFailure }
}

extension AggregatorError.Code {
  /// A row breaks a rule of the schema: it is there already, or names one that is not there.
  public static let constraint = Self(rawValue: "constraint")
  /// What is stored does not say what it must; restore it from a backup.
  public static let damagedStore = Self(rawValue: "damaged-store")
  /// There is no room on the disk.
  public static let diskFull = Self(rawValue: "disk-full")
  /// Another connection holds the database.
  public static let storeBusy = Self(rawValue: "store-busy")
  /// A statement is no SQL, or does not fit the schema.
  public static let invalidStatement = Self(rawValue: "invalid-statement")
}
