// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// A task as the database has it.
struct TaskRecord: Sendable {
  /// 32 hexadecimal digits.
  var id: String
  /// In the order of creation, from 1.
  var number: UInt64
  var name: String
  /// Empty where the creator gave none.
  var submitToken: String
  /// The encoded TaskSpec.
  var spec: [UInt8]
  var state: TaskMachine.State
  var roundsPublished: UInt64 = 0
  var roundsAbandoned: UInt64 = 0
  var abandonedInARow: UInt64 = 0
  /// Milliseconds since 1970 (UTC); 0 while it is not over.
  var createdMs: Int64
  var endedMs: Int64 = 0
  /// For people.
  var problem = ""
  var eventSequence: UInt64 = 0
  /// The newest; 1 is the initial model.
  var modelVersion: UInt64 = 1
  var bestAccuracy: Double?
  /// Rounds published when accuracy was best, and when it was last measured.
  var bestRound: UInt64 = 0
  var measuredRound: UInt64 = 0
  var parameterCount: UInt64
}

extension TaskRecord {
  fileprivate static let columns = """
    id, number, name, submit_token, spec, state, rounds_published, rounds_abandoned,
    abandoned_in_a_row, created_ms, ended_ms, problem, event_sequence, model_version,
    best_accuracy, best_round, measured_round, parameter_count
    """

  fileprivate init(_ row: Row) throws(AggregatorError) {
    id = try row[0]
    number = try row[1]
    name = try row[2]
    let token: String? = try row[3]
    submitToken = token ?? ""
    spec = try row[4]
    let code: Int = try row[5]
    guard let state = TaskMachine.State(rawValue: code) else {
      throw AggregatorError(.damagedStore, "The database has a task in the unknown state \(code).")
    }
    self.state = state
    roundsPublished = try row[6]
    roundsAbandoned = try row[7]
    abandonedInARow = try row[8]
    createdMs = try row[9]
    endedMs = try row[10]
    problem = try row[11]
    eventSequence = try row[12]
    modelVersion = try row[13]
    bestAccuracy = try row[14]
    bestRound = try row[15]
    measuredRound = try row[16]
    parameterCount = try row[17]
  }
}

extension Transaction {
  /// Adds a task.
  func insert(_ task: TaskRecord) throws(AggregatorError) {
    let token: String? = task.submitToken.isEmpty ? nil : task.submitToken
    try run(
      """
      INSERT INTO tasks (\(TaskRecord.columns))
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """, task.id, task.number, task.name, token, task.spec, task.state.rawValue,
      task.roundsPublished, task.roundsAbandoned, task.abandonedInARow, task.createdMs,
      task.endedMs, task.problem, task.eventSequence, task.modelVersion, task.bestAccuracy,
      task.bestRound, task.measuredRound, task.parameterCount)
  }

  /// Writes what changes of a task; a terminal state is never left.
  func update(_ task: TaskRecord) throws(AggregatorError) {
    try run(
      """
      UPDATE tasks SET state = CASE WHEN state >= 4 THEN state ELSE ? END,
        rounds_published = ?, rounds_abandoned = ?, abandoned_in_a_row = ?, ended_ms = ?, problem = ?,
        model_version = ?, best_accuracy = ?, best_round = ?, measured_round = ?
      WHERE id = ?
      """, task.state.rawValue, task.roundsPublished, task.roundsAbandoned, task.abandonedInARow,
      task.endedMs, task.problem, task.modelVersion, task.bestAccuracy, task.bestRound,
      task.measuredRound, task.id)
  }

  /// All tasks, oldest first.
  func tasks() throws(AggregatorError) -> [TaskRecord] {
    try rows("SELECT \(TaskRecord.columns) FROM tasks ORDER BY number") {
      row throws(AggregatorError) in try TaskRecord(row)
    }
  }

  /// The task of an id, or of a name that no other task has.
  func task(named name: String) throws(AggregatorError) -> TaskRecord? {
    let found = try rows(
      "SELECT \(TaskRecord.columns) FROM tasks WHERE id = ? OR name = ? LIMIT 3", name, name
    ) { row throws(AggregatorError) in try TaskRecord(row) }
    if let exact = found.first(where: { $0.id == name }) { return exact }
    return found.count == 1 ? found[0] : nil
  }

  func task(submittedAs token: String) throws(AggregatorError) -> TaskRecord? {
    try first("SELECT \(TaskRecord.columns) FROM tasks WHERE submit_token = ?", token) {
      row throws(AggregatorError) in try TaskRecord(row)
    }
  }

  /// Adds an event to a task's, and gives it its number.
  func append(_ event: Proto.TaskEvent, to task: String) throws(AggregatorError) {
    try run("UPDATE tasks SET event_sequence = event_sequence + 1 WHERE id = ?", task)
    guard
      let sequence: UInt64 = try value("SELECT event_sequence FROM tasks WHERE id = ?", task)
    else { return }
    var event = event
    event.sequence = sequence
    event.timeMs = UInt64(max(time, 0))
    try run("INSERT INTO events VALUES (?, ?, ?)", task, sequence, event.encoded())
  }

  /// Events after a number, oldest first, as encoded TaskEvents.
  func events(
    of task: String, after sequence: UInt64, limit: Int
  ) throws(AggregatorError) -> [[UInt8]] {
    try rows(
      "SELECT event FROM events WHERE task = ? AND sequence > ? ORDER BY sequence LIMIT ?", task,
      sequence, limit
    ) { row throws(AggregatorError) in try row[0] }
  }
}
