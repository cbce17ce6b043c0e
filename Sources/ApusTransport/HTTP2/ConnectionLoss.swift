// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Why a connection is no more.
struct ConnectionLoss: Error, Equatable {
  enum Kind: Equatable {
    /// It was closed by one side in order.
    case ended
    /// It broke, or took too long.
    case broken
    /// One side does not accept the other's certificate.
    case notTrusted
    /// The other side broke the rules of HTTP/2.
    case violation
  }

  let kind: Kind
  let message: String

  init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
}
