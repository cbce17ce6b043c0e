// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The tables of tasks, rounds, who was invited, what came, models and events.
///
/// What only people and other programs read is stored as the message that they get; what decides is in columns.
enum EngineTables {
  static let tables = [
    """
    CREATE TABLE tasks (
      id TEXT PRIMARY KEY,
      number INTEGER NOT NULL UNIQUE,
      name TEXT NOT NULL,
      submit_token TEXT UNIQUE,
      spec BLOB NOT NULL,
      state INTEGER NOT NULL,
      rounds_published INTEGER NOT NULL,
      rounds_abandoned INTEGER NOT NULL,
      abandoned_in_a_row INTEGER NOT NULL,
      created_ms INTEGER NOT NULL,
      ended_ms INTEGER NOT NULL,
      problem TEXT NOT NULL,
      event_sequence INTEGER NOT NULL,
      model_version INTEGER NOT NULL,
      best_accuracy REAL,
      best_round INTEGER NOT NULL,
      measured_round INTEGER NOT NULL,
      parameter_count INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE rounds (
      task TEXT NOT NULL,
      round INTEGER NOT NULL,
      attempt INTEGER NOT NULL,
      state INTEGER NOT NULL,
      goal INTEGER NOT NULL,
      quorum INTEGER NOT NULL,
      over_selection REAL NOT NULL,
      population INTEGER NOT NULL,
      open_places INTEGER NOT NULL,
      is_extended INTEGER NOT NULL,
      info BLOB NOT NULL,
      PRIMARY KEY (task, round, attempt)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE invitations (
      task TEXT NOT NULL,
      round INTEGER NOT NULL,
      attempt INTEGER NOT NULL,
      device INTEGER NOT NULL,
      lease BLOB NOT NULL,
      epoch INTEGER NOT NULL,
      is_lost INTEGER NOT NULL,
      PRIMARY KEY (task, round, attempt, device)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE UNIQUE INDEX invitations_by_lease ON invitations (lease)",
    // What makes an update count once is the primary key.
    """
    CREATE TABLE contributions (
      task TEXT NOT NULL,
      round INTEGER NOT NULL,
      attempt INTEGER NOT NULL,
      device INTEGER NOT NULL,
      idempotency_key BLOB NOT NULL,
      request_digest BLOB NOT NULL,
      blob BLOB NOT NULL,
      bytes INTEGER NOT NULL,
      type INTEGER NOT NULL,
      weight INTEGER NOT NULL,
      reason TEXT NOT NULL,
      loss_sum REAL NOT NULL,
      step_count REAL NOT NULL,
      PRIMARY KEY (task, round, attempt, device)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX contributions_by_key ON contributions (device, idempotency_key)",
    """
    CREATE TABLE models (
      task TEXT NOT NULL,
      version INTEGER NOT NULL,
      state_blob BLOB NOT NULL,
      info BLOB NOT NULL,
      PRIMARY KEY (task, version)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE events (
      task TEXT NOT NULL,
      sequence INTEGER NOT NULL,
      event BLOB NOT NULL,
      PRIMARY KEY (task, sequence)
    ) STRICT, WITHOUT ROWID
    """,
    // In how many rounds of a task a device was counted, and in which last.
    """
    CREATE TABLE participations (
      task TEXT NOT NULL,
      device INTEGER NOT NULL,
      counted INTEGER NOT NULL,
      last_round INTEGER NOT NULL,
      PRIMARY KEY (task, device)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE device_counts (
      device INTEGER PRIMARY KEY,
      rounds_counted INTEGER NOT NULL,
      updates_rejected INTEGER NOT NULL,
      leases_lost INTEGER NOT NULL
    ) STRICT
    """,
  ]
}
