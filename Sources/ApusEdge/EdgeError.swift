// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What this module throws: a device that cannot join, or cannot go on.
public struct EdgeError: Error, Sendable {
  /// Which kind of thing went wrong; open, so that more can come.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// The federation cannot be reached.
    public static let unreachable = Code(rawValue: "unreachable")
    /// The federation does not let the device in: unknown, disabled, revoked, or its certificate is over.
    public static let refused = Code(rawValue: "refused")
    /// The directory has no identity: the device has not joined.
    public static let notJoined = Code(rawValue: "not-joined")
    /// The state directory cannot be read or written.
    public static let fileSystem = Code(rawValue: "file-system")
    /// Another process works in the state directory.
    public static let inUse = Code(rawValue: "in-use")
  }

  public let code: Code
  /// What happened, what was expected, what to do.
  public let message: String
  /// The error below this one, where there is one.
  public let cause: (any Error)?

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }
}

extension EdgeError: CustomStringConvertible {
  public var description: String { message }
}
