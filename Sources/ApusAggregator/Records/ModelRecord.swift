// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// A version of a task's model as the database has it.
struct ModelRecord: Sendable {
  var info: Proto.ModelInfo
  /// The digest of a blob with the vectors of the server's state after it; empty where there are none.
  var stateBlob: [UInt8] = []
}

extension Transaction {
  func insert(_ model: ModelRecord) throws(AggregatorError) {
    try run(
      "INSERT INTO models VALUES (?, ?, ?, ?)", model.info.taskId, model.info.version,
      model.stateBlob, model.info.encoded())
  }

  /// A version of a task's model; the newest where none is said.
  func model(of task: String, version: UInt64? = nil) throws(AggregatorError) -> ModelRecord? {
    try first(
      """
      SELECT info, state_blob FROM models WHERE task = ? AND version = coalesce(?, version)
      ORDER BY version DESC LIMIT 1
      """, task, version
    ) { row throws(AggregatorError) in try ModelRecord(row) }
  }

  /// The versions of a task's model, oldest first.
  func models(of task: String) throws(AggregatorError) -> [ModelRecord] {
    try rows("SELECT info, state_blob FROM models WHERE task = ? ORDER BY version", task) {
      row throws(AggregatorError) in try ModelRecord(row)
    }
  }
}

extension ModelRecord {
  fileprivate init(_ row: Row) throws(AggregatorError) {
    do {
      let bytes: [UInt8] = try row[0]
      info = try Proto.ModelInfo(decoding: bytes)
    } catch {
      throw AggregatorError(.damagedStore, "The database has a damaged model.", cause: error)
    }
    stateBlob = try row[1]
  }
}
