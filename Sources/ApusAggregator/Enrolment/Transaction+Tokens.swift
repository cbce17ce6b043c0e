// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// An invitation as the aggregator keeps it.
package struct TokenRecord: Hashable, Sendable {
  /// SHA-256 of the token, 32 bytes.
  package var digest: [UInt8]
  package var role: Role
  package var labels: [String: String]
  package var usesLeft: UInt32
  /// Milliseconds since 1970 (UTC).
  package var created: Int64
  package var expires: Int64

  /// For logs: tells tokens apart and nothing of them.
  package var mark: String {
    digest.prefix(4).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}

/// Which member an attempt with a token became.
struct EnrolmentRecord {
  var publicKeyDigest: [UInt8]
  var member: String
}

extension Transaction {
  func add(token: TokenRecord) throws(AggregatorError) {
    try run(
      "INSERT INTO tokens VALUES (?, ?, ?, ?, ?)", token.digest, token.role.rawValue,
      token.usesLeft, token.created, token.expires)
    for (name, value) in token.labels {
      try run("INSERT INTO token_labels VALUES (?, ?, ?)", token.digest, name, value)
    }
  }

  /// The token with a digest; nil where there is none.
  func token(_ digest: [UInt8]) throws(AggregatorError) -> TokenRecord? {
    let token = try first(
      "SELECT role, uses_left, created_ms, expires_ms FROM tokens WHERE digest = ?", digest
    ) { row throws(AggregatorError) -> TokenRecord in
      let role: String = try row[0]
      guard let role = Role(rawValue: role) else {
        throw AggregatorError(.damagedStore, "A token has a role that does not exist.")
      }
      return TokenRecord(
        digest: digest, role: role, labels: [:], usesLeft: try row[1], created: try row[2],
        expires: try row[3])
    }
    guard var token else { return nil }
    let labels = try rows("SELECT name, value FROM token_labels WHERE token = ?", digest) {
      row throws(AggregatorError) -> (String, String) in (try row[0], try row[1])
    }
    token.labels = Dictionary(labels) { first, _ in first }
    return token
  }

  /// Takes one use away.
  ///
  /// - Returns: whether there was one.
  func use(token digest: [UInt8]) throws(AggregatorError) -> Bool {
    try run(
      "UPDATE tokens SET uses_left = uses_left - 1 WHERE digest = ? AND uses_left > 0", digest) == 1
  }

  /// Forgets tokens that are over for longer than a while, with the attempts made with them.
  func removeTokens(overBefore time: Int64) throws(AggregatorError) {
    try run("DELETE FROM tokens WHERE expires_ms < ?", time)
  }

  func enrolment(
    with token: [UInt8], key: [UInt8]
  ) throws(AggregatorError) -> EnrolmentRecord? {
    try first(
      "SELECT public_key_digest, member FROM enrolments WHERE token = ? AND key = ?", token, key
    ) { row throws(AggregatorError) -> EnrolmentRecord in
      EnrolmentRecord(publicKeyDigest: try row[0], member: try row[1])
    }
  }

  func add(
    enrolment: EnrolmentRecord, with token: [UInt8], key: [UInt8]
  ) throws(AggregatorError) {
    try run(
      "INSERT INTO enrolments VALUES (?, ?, ?, ?)", token, key, enrolment.publicKeyDigest,
      enrolment.member)
  }
}
