// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a server has seen and has now, for metrics.
package struct ServerStatistics: Sendable, Hashable {
  /// Connections now, those in their handshake included.
  package var connections = 0
  package var handshakes = 0
  /// Calls whose handlers run now.
  package var calls = 0
  /// Connections since the start.
  package var acceptedConnections = 0
  /// Of them, those that were over a limit and closed at once.
  package var refusedConnections = 0
  /// Of them, those that ended before the handshake did.
  package var failedHandshakes = 0
  /// Connections that were ended because the client broke the rules of HTTP/2, took too long or pinged too much.
  package var abusiveConnections = 0
  /// Calls since the start.
  package var startedCalls = 0
  /// Bytes that came and that no handler has taken.
  package var heldBytes = 0
  /// Bytes that windows have grown by.
  package var reservedBytes = 0

  package init() {}
}
