// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Who has joined, and with what one can.
package enum EnrolmentTables {
  static let tables = [
    """
    CREATE TABLE members (
      id TEXT PRIMARY KEY CHECK (length(id) = 32),
      role TEXT NOT NULL CHECK (role IN ('device', 'operator', 'auditor')),
      number INTEGER NOT NULL,
      name TEXT NOT NULL,
      enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
      revoked INTEGER NOT NULL CHECK (revoked IN (0, 1)),
      enrolled_ms INTEGER NOT NULL,
      last_seen_ms INTEGER NOT NULL,
      certificate_expires_ms INTEGER NOT NULL,
      build TEXT NOT NULL,
      UNIQUE (role, number)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX members_by_name ON members (name)",
    """
    CREATE TABLE member_labels (
      member TEXT NOT NULL REFERENCES members (id),
      name TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (member, name)
    ) STRICT, WITHOUT ROWID
    """,
    // The digest only: whoever reads the database cannot join with what is in it.
    """
    CREATE TABLE tokens (
      digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
      role TEXT NOT NULL CHECK (role IN ('device', 'operator', 'auditor')),
      uses_left INTEGER NOT NULL CHECK (uses_left >= 0),
      created_ms INTEGER NOT NULL,
      expires_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE token_labels (
      token BLOB NOT NULL REFERENCES tokens (digest) ON DELETE CASCADE,
      name TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (token, name)
    ) STRICT, WITHOUT ROWID
    """,
    // Which attempt became which member, so that a repeated attempt becomes the same.
    """
    CREATE TABLE enrolments (
      token BLOB NOT NULL REFERENCES tokens (digest) ON DELETE CASCADE,
      key BLOB NOT NULL CHECK (length(key) = 16),
      public_key_digest BLOB NOT NULL CHECK (length(public_key_digest) = 32),
      member TEXT NOT NULL REFERENCES members (id),
      PRIMARY KEY (token, key)
    ) STRICT, WITHOUT ROWID
    """,
  ]
}
