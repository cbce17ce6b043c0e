// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What can go wrong outside of calls: with addresses, certificates and sockets.
public struct TransportError: Error, Sendable {
  /// For programs.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// The address is wrong, taken or not to be found.
    public static let address = Code(rawValue: "address")
    /// A certificate or a key cannot be read, or they do not belong together.
    public static let certificate = Code(rawValue: "certificate")
    /// The operating system refused.
    public static let system = Code(rawValue: "system")
  }

  public let code: Code
  /// What happened, what was expected, and what to do; never a key or a token.
  public let message: String
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
