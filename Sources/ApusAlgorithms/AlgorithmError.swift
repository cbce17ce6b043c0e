// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What an algorithm or an aggregation rule refuses.
public struct AlgorithmError: Error, Hashable, Sendable {
  /// Why; more may be added.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// A hyperparameter is outside of its range.
    public static let invalidValue = Code(rawValue: "invalid-value")
    /// The bounds asked of a sum cannot be kept exactly.
    public static let invalidBounds = Code(rawValue: "invalid-bounds")
    /// An update cannot be counted; the sum is what it was before.
    public static let rejectedUpdate = Code(rawValue: "rejected-update")
    /// There is nothing to combine.
    public static let noUpdates = Code(rawValue: "no-updates")
  }

  public var code: Code
  /// What happened, what was expected, and what to do.
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}

extension AlgorithmError: CustomStringConvertible {
  public var description: String { message }
}

extension AlgorithmError {
  /// Throws, naming the key, where a hyperparameter is not in its range.
  static func check(
    _ isValid: Bool, _ algorithm: String, _ key: String, is value: Any, expected: String
  ) throws(AlgorithmError) {
    if isValid { return }
    throw AlgorithmError(.invalidValue, "\(algorithm).\(key) is \(value); expected \(expected).")
  }
}
