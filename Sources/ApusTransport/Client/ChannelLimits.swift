// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a client allows its server, and how long it waits for it.
package struct ChannelLimits: Sendable, Hashable {
  /// Bytes in a message, framing excluded.
  package var messageSize = 4 << 20
  /// Bytes of a header block, as the server's limit counts them.
  package var headerListSize = 16 << 10
  /// Bytes that the server may have under way on a stream that nobody has received.
  package var window = 65_535
  /// Bytes that all windows together may grow by.
  package var byteBudget = 64 << 20
  /// From the look-up of the name to the server's SETTINGS.
  package var connectTimeout: Duration = .seconds(10)
  /// The first wait after a failed attempt to connect, and the longest; each ± 20 %.
  package var firstBackoff: Duration = .milliseconds(100)
  package var backoffLimit: Duration = .seconds(5)
  /// After so long without a byte, ± 20 %, the server is asked whether it is there; while calls are open.
  package var keepaliveInterval: Duration = .seconds(30)
  /// How long it may take to answer.
  package var keepaliveTimeout: Duration = .seconds(20)
  /// How long a connection without calls is kept.
  package var idleTimeout: Duration = .seconds(60)

  package init() {}
}
