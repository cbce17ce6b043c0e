// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a closure given to ``Store/write(_:)`` or ``Store/read(_:)`` works with.
///
/// Good only within the closure. What a domain can ask and do is written as extensions of this type,
/// beside the domain. In a `read` every statement that would change something fails.
package struct Transaction {
  package let database: Database
  /// Of the incarnation that writes: rises with every start.
  package let epoch: UInt64
  /// Milliseconds since 1970 (UTC) when the transaction began.
  package let time: Int64

  /// Runs a statement.
  ///
  /// - Parameters:
  ///   - sql: one statement.
  ///   - bindings: for each `?` in order.
  /// - Returns: how many rows it changed.
  /// - Throws: `constraint` (``AggregatorError/sqlite`` tells which), `invalid-statement`; others are
  ///   fatal and end the process.
  @discardableResult
  package func run(
    _ sql: String, _ bindings: any SQLConvertible...
  ) throws(AggregatorError) -> Int {
    try database.run(sql, bindings)
  }

  /// Every row that a statement gives: `rows("SELECT id FROM devices WHERE role = ?", role) { row in
  /// try row[0] }`.
  ///
  /// - Throws: as ``run(_:_:)``, and what `body` throws.
  package func rows<Value>(
    _ sql: String, _ bindings: any SQLConvertible...,
    body: (Row) throws(AggregatorError) -> Value
  ) throws(AggregatorError) -> [Value] {
    try database.rows(sql, bindings, body)
  }

  /// The first row that a statement gives; nil where it gives none.
  ///
  /// - Throws: as ``run(_:_:)``, and what `body` throws.
  package func first<Value>(
    _ sql: String, _ bindings: any SQLConvertible...,
    body: (Row) throws(AggregatorError) -> Value
  ) throws(AggregatorError) -> Value? {
    try database.first(sql, bindings, body)
  }

  /// The first column of the first row; nil where there is no row.
  ///
  /// - Throws: as ``run(_:_:)``; `damaged-store` where the column holds another type.
  package func value<Value: SQLConvertible>(
    _ sql: String, _ bindings: any SQLConvertible..., as type: Value.Type = Value.self
  ) throws(AggregatorError) -> Value? {
    try database.first(sql, bindings) { row throws(AggregatorError) in try row[0] }
  }
}
