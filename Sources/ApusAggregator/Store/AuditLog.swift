// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// Who did what to what, each entry bound to the one before by its hash.
///
/// hash = SHA-256(the previous entry's hash, 32 zero bytes for the first; sequence and time as 8 bytes
/// little-endian each; actor, action, subject and detail, each as its length in 8 bytes little-endian
/// and its bytes): see `AuditEntry` in protocols/apus/v1/coordinator.proto.
package enum AuditLog {
  static let tables = [
    """
    CREATE TABLE audit (
      sequence INTEGER PRIMARY KEY,
      time_ms INTEGER NOT NULL,
      actor TEXT NOT NULL,
      action TEXT NOT NULL,
      subject TEXT NOT NULL,
      detail TEXT NOT NULL,
      hash BLOB NOT NULL CHECK (length(hash) = 32)
    ) STRICT
    """,
    // The newest entry: entries that are cut off at the end are missed.
    """
    CREATE TABLE audit_head (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      sequence INTEGER NOT NULL,
      hash BLOB NOT NULL
    ) STRICT
    """,
    "INSERT INTO audit_head VALUES (1, 0, zeroblob(32))",
  ]

  /// One line of the log.
  package struct Entry: Hashable, Sendable {
    /// Counted from 1, without gaps.
    package var sequence: UInt64
    /// Milliseconds since 1970 (UTC).
    package var time: Int64
    /// The caller's identity, or `aggregator`.
    package var actor: String
    /// For example `device.enrolled`.
    package var action: String
    /// What it was done to.
    package var subject: String
    /// JSON; no secrets.
    package var detail: String
    /// 32 bytes.
    package var hash: [UInt8]

    /// The hash that this entry has after one with the hash `previous`.
    package func chained(to previous: [UInt8]) -> [UInt8] {
      var hash = SHA256()
      previous.withUnsafeBytes { hash.update($0) }
      for number in [sequence, UInt64(bitPattern: time)] {
        withUnsafeBytes(of: number.littleEndian) { hash.update($0) }
      }
      for text in [actor, action, subject, detail] {
        let bytes = Array(text.utf8)
        withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hash.update($0) }
        bytes.withUnsafeBytes { hash.update($0) }
      }
      return hash.finalize()
    }

    fileprivate init(_ row: Row) throws(AggregatorError) {
      sequence = try row[0]
      time = try row[1]
      actor = try row[2]
      action = try row[3]
      subject = try row[4]
      detail = try row[5]
      hash = try row[6]
    }

    package init(
      sequence: UInt64, time: Int64, actor: String, action: String, subject: String,
      detail: String, hash: [UInt8] = []
    ) {
      self.sequence = sequence
      self.time = time
      self.actor = actor
      self.action = action
      self.subject = subject
      self.detail = detail
      self.hash = hash
    }
  }

  /// What a check of the whole chain found.
  package struct Verdict: Hashable, Sendable {
    /// How many entries there are.
    package var entryCount: UInt64
    /// The first entry that does not fit to the one before, or is missing; nil where all do.
    package var firstBroken: UInt64?

    package var isIntact: Bool { firstBroken == nil }
  }
}

extension Transaction {
  /// Adds an entry to the audit log.
  ///
  /// - Parameters:
  ///   - actor: the caller's identity, or `aggregator`.
  ///   - action: for example `device.enrolled`.
  ///   - subject: what it was done to.
  ///   - detail: JSON; no secrets.
  /// - Returns: the entry, with its hash.
  /// - Throws: nothing that is not fatal.
  @discardableResult
  package func audit(
    actor: String, action: String, subject: String, detail: String = "{}"
  ) throws(AggregatorError) -> AuditLog.Entry {
    let head = try auditHead()
    var entry = AuditLog.Entry(
      sequence: head.sequence + 1, time: time, actor: actor, action: action, subject: subject,
      detail: detail)
    entry.hash = entry.chained(to: head.hash)
    try run(
      "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", entry.sequence, entry.time, entry.actor,
      entry.action, entry.subject, entry.detail, entry.hash)
    try run("UPDATE audit_head SET sequence = ?, hash = ?", entry.sequence, entry.hash)
    return entry
  }

  /// Entries after a sequence number, oldest first.
  ///
  /// - Parameters:
  ///   - sequence: the last entry that is known; 0 for all.
  ///   - limit: at most so many.
  /// - Returns: the entries, without gaps.
  /// - Throws: `damaged-store`.
  package func auditEntries(
    after sequence: UInt64, limit: Int
  ) throws(AggregatorError) -> [AuditLog.Entry] {
    try rows(
      """
      SELECT sequence, time_ms, actor, action, subject, detail, hash FROM audit
      WHERE sequence > ? ORDER BY sequence LIMIT ?
      """, sequence, limit
    ) { row throws(AggregatorError) in try AuditLog.Entry(row) }
  }

  /// Checks every entry against the one before, and the last against the head.
  ///
  /// - Complexity: O(entries) in time, O(1) in memory.
  package func verifiedAuditLog() throws(AggregatorError) -> AuditLog.Verdict {
    var verdict = AuditLog.Verdict(entryCount: 0, firstBroken: nil)
    var hash = [UInt8](repeating: 0, count: 32)
    _ = try rows(
      """
      SELECT sequence, time_ms, actor, action, subject, detail, hash FROM audit
      ORDER BY sequence
      """
    ) { row throws(AggregatorError) in
      let entry = try AuditLog.Entry(row)
      verdict.entryCount += 1
      let fits = entry.sequence == verdict.entryCount && entry.chained(to: hash) == entry.hash
      if !fits && verdict.firstBroken == nil { verdict.firstBroken = verdict.entryCount }
      hash = entry.hash
    }
    let head = try auditHead()
    if verdict.firstBroken == nil && (head.sequence != verdict.entryCount || head.hash != hash) {
      verdict.firstBroken = min(head.sequence, verdict.entryCount) + 1
    }
    return verdict
  }

  /// The newest entry's sequence number and hash; 0 and zeros where there is none.
  package func auditHead() throws(AggregatorError) -> (sequence: UInt64, hash: [UInt8]) {
    let head = try first("SELECT sequence, hash FROM audit_head") {
      row throws(AggregatorError) -> (UInt64, [UInt8]) in (try row[0], try row[1])
    }
    guard let head else { throw AggregatorError(.damagedStore, "The audit log has no head.") }
    return head
  }
}
