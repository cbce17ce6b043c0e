// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What this module throws: something that the world, not the caller's code, did wrong.
public struct AggregatorError: Error, Sendable {
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

extension AggregatorError: CustomStringConvertible {
  public var description: String { message }
}

extension AggregatorError.Code {
  /// A value of a configuration, a task or a plan is out of its range.
  public static let invalidValue = Self(rawValue: "invalid-value")
  /// The operating system refused to read or write.
  public static let fileSystem = Self(rawValue: "file-system")
  /// A task, a round or a model is not in a state that allows what was asked.
  public static let wrongState = Self(rawValue: "wrong-state")
  /// There is no such task, round, model or device.
  public static let notFound = Self(rawValue: "not-found")
}
