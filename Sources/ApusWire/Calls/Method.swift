// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A call that a service offers: its path, and what goes there and back.
package struct Method<Request: WireMessage, Reply: WireMessage>: Sendable {
  /// How many messages go each way.
  package enum Kind: Hashable, Sendable {
    case unary
    case serverStreaming
    case clientStreaming
    case streaming
  }

  /// For example `/apus.v1.Edge/CheckIn`.
  package let path: String
  package let kind: Kind

  package init(_ path: String, _ kind: Kind = .unary) {
    self.path = path
    self.kind = kind
  }
}
