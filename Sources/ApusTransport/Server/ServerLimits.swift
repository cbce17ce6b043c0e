// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a server allows its callers before it has any reason to trust them.
///
/// > Defaults: docs/WireProtocol.md; each is checked before memory is taken.
package struct ServerLimits: Sendable, Hashable {
  /// Connections at once; those beyond are closed as they come.
  package var connections = 16_384
  /// Connections at once of one IP address.
  package var connectionsPerAddress = 16_384
  /// Connections at once that have not finished their handshake.
  package var handshakes = 4_096
  /// Calls at once on a connection.
  package var streamsPerConnection = 16
  /// Bytes in a message, framing excluded.
  package var messageSize = 4 << 20
  /// Bytes of names and values of a header block, each with 32 bytes on top (RFC 9113 §6.5.2).
  package var headerListSize = 16 << 10
  /// Bytes that a caller may have under way on a stream, and on a connection, that no handler has received.
  package var window = 65_535
  /// Bytes that all windows together may grow by for messages that do not fit.
  package var byteBudget = 256 << 20
  /// From the accepted connection to the end of the TLS handshake.
  package var handshakeTimeout: Duration = .seconds(10)
  /// From the end of the handshake to the client's SETTINGS.
  package var settingsTimeout: Duration = .seconds(5)
  /// From a header block's first frame to its last.
  package var headersTimeout: Duration = .seconds(10)
  /// How long a stream may go without a byte of progress that the caller owes.
  package var progressTimeout: Duration = .seconds(60)
  /// How long a connection may be without a call.
  package var idleTimeout: Duration = .seconds(300)
  /// After which, give or take a tenth, a connection is asked to go; nil for never.
  package var connectionAge: Duration? = .seconds(45 * 60)
  /// How long calls may go on after that.
  package var connectionGrace: Duration = .seconds(10 * 60)
  /// The least time between two pings of a client that has calls open.
  package var pingInterval: Duration = .seconds(20)

  package init() {}
}
