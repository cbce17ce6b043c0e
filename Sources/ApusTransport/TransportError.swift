// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What this module throws where no call is involved: keys, certificates, invitations, sockets.
public struct TransportError: Error, Sendable {
  /// Which kind of thing went wrong; open, so that more can come.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
  }

  public let code: Code
  /// What happened, what was expected, what to do; never a key or a token.
  public let message: String
  /// The error below this one, where there is one.
  public let cause: (any Error)?

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }
}

extension TransportError: CustomStringConvertible {
  public var description: String { message }
}
