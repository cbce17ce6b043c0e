// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusWire

/// Answers that were given, so that a call that comes again is answered and not done again.
package enum Idempotency {
  static let tables = [
    """
    CREATE TABLE answers (
      caller TEXT NOT NULL,
      method TEXT NOT NULL,
      key BLOB NOT NULL,
      request_digest BLOB NOT NULL,
      answer BLOB NOT NULL,
      time_ms INTEGER NOT NULL,
      PRIMARY KEY (caller, method, key)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX answers_by_time ON answers (time_ms)",
  ]

  /// How long answers are kept at least: 24 hours, in milliseconds.
  package static let lifetime: Int64 = 24 * 3_600_000
}

extension Transaction {
  /// Does what a call asks for, or finds what was answered to it before.
  ///
  /// - Parameters:
  ///   - caller: the identity of who calls.
  ///   - method: the call's path.
  ///   - key: chosen by the caller, the same for each attempt.
  ///   - request: the encoded request.
  ///   - body: gives the encoded answer; what it writes is written with it or not at all.
  /// - Returns: the encoded answer, and whether it was given before.
  /// - Throws: `alreadyExists` (``RPCError``) where another request came under this key; what `body`
  ///   throws, and then nothing is remembered.
  package func once(
    caller: String, method: String, key: [UInt8], request: [UInt8], body: () throws -> [UInt8]
  ) throws -> (answer: [UInt8], isReplay: Bool) {
    var hash = SHA256()
    request.withUnsafeBytes { hash.update($0) }
    let digest = hash.finalize()
    let known = try first(
      "SELECT request_digest, answer FROM answers WHERE caller = ? AND method = ? AND key = ?",
      caller, method, key
    ) { row throws(AggregatorError) -> (digest: [UInt8], answer: [UInt8]) in
      (try row[0], try row[1])
    }
    if let known {
      guard known.digest == digest else {
        throw RPCError(
          .alreadyExists,
          "Another request came under this key. Use a new key for a new request.",
          reason: "idempotency-key-reused")
      }
      return (known.answer, true)
    }
    let answer = try body()
    try run(
      "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)", caller, method, key, digest, answer, time)
    return (answer, false)
  }

  /// Forgets answers that are older than ``Idempotency/lifetime``.
  ///
  /// - Returns: how many.
  @discardableResult
  package func forgetOldAnswers() throws(AggregatorError) -> Int {
    try run("DELETE FROM answers WHERE time_ms < ?", time - Idempotency.lifetime)
  }
}
