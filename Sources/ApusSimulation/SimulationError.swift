// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a simulation met that it cannot go on with.
public struct SimulationError: Error, Sendable, CustomStringConvertible {
  /// What kind of thing went wrong; more codes may come.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// A recipe's file is missing or cannot be read.
    public static let unreadableRecipe = Code(rawValue: "unreadable-recipe")
    /// A recipe's text, a key or a value in it, or a value set from outside, is wrong.
    public static let invalidRecipe = Code(rawValue: "invalid-recipe")
  }

  public let code: Code
  /// What happened, what was expected and what to do.
  public let message: String
  /// The error of a lower layer that this one reports.
  public let cause: (any Error)?

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  public var description: String { message }
}
