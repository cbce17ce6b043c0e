// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with bytes or messages that came over the wire.
public struct WireError: Error, Sendable {
  /// Why; more may be added.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// Bytes are no message of the kind that was expected, or a truncated one.
    public static let malformed = Code(rawValue: "malformed")
    /// Something is larger, deeper or more than is allowed.
    public static let beyondLimit = Code(rawValue: "beyond-limit")
    /// A value is outside of its range, or does not fit the others.
    public static let invalidValue = Code(rawValue: "invalid-value")
    /// A value is of a kind that is not known here, though it may be elsewhere.
    public static let unsupported = Code(rawValue: "unsupported")
    /// Bytes have another digest than they should.
    public static let wrongDigest = Code(rawValue: "wrong-digest")
  }

  public let code: Code
  /// What happened, what was expected, and what to do; never a value of an update.
  public let message: String
  /// The error below this one, where there is one.
  public let cause: (any Error)?

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }
}

extension WireError: CustomStringConvertible {
  public var description: String { message }
}
