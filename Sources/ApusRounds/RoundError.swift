// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What can go wrong with a round's policy or its checkpoint.
public struct RoundError: Error, Sendable {
  /// Why; more may be added.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// A value of a policy is outside of its range.
    public static let invalidValue = Code(rawValue: "invalid-value")
    /// A file could not be read or written.
    public static let inputOutput = Code(rawValue: "input-output")
    /// A file is not a checkpoint, or a damaged one.
    public static let damagedCheckpoint = Code(rawValue: "damaged-checkpoint")
    /// A checkpoint was written by a version of the format that is not known here.
    public static let unknownVersion = Code(rawValue: "unknown-version")
    /// A checkpoint belongs to another recipe, seed or model.
    public static let foreignCheckpoint = Code(rawValue: "foreign-checkpoint")
  }

  public let code: Code
  /// What happened, what was expected, and what to do.
  public let message: String
  /// The error below this one, where there is one.
  public let cause: (any Error)?

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }
}

extension RoundError: CustomStringConvertible {
  public var description: String { message }
}
