// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What this module throws: something that the world, not the caller's code, did wrong.
public struct NumericsError: Error, Sendable {
  /// Which kind of thing went wrong; open, so that more can come.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
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

extension NumericsError: CustomStringConvertible {
  public var description: String { message }
}

extension NumericsError.Code {
  /// A hyperparameter or a bound that is out of its range.
  public static let invalidValue = Self(rawValue: "invalid-value")
  /// The operating system refused to read or write.
  public static let fileSystem = Self(rawValue: "file-system")
  /// Bytes that are not what they claim to be.
  public static let malformed = Self(rawValue: "malformed")
  /// Well-formed bytes of a kind or version that this version cannot use.
  public static let unsupported = Self(rawValue: "unsupported")
  /// Arrays whose names or shapes are not the expected ones.
  public static let layoutMismatch = Self(rawValue: "layout-mismatch")
  /// An update, or a sum, that is longer or shorter than the sum that it should go into.
  public static let wrongLength = Self(rawValue: "wrong-length")
  /// An update with an infinite coordinate or one that is not a number.
  public static let notFinite = Self(rawValue: "not-finite")
  /// An update with a coordinate beyond the bound that was agreed on.
  public static let outOfBounds = Self(rawValue: "out-of-bounds")
  /// An update whose weight is not in 1...bound.
  public static let weightOutOfBounds = Self(rawValue: "weight-out-of-bounds")
  /// More updates than the sum was made for.
  public static let tooManyContributions = Self(rawValue: "too-many-contributions")
  /// Two sums of different bounds, whose units differ.
  public static let scaleMismatch = Self(rawValue: "scale-mismatch")
  /// Something that this machine does not have.
  public static let unavailable = Self(rawValue: "unavailable")
}
