// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What an algorithm or an aggregation rule refuses.
public struct AlgorithmError: Error, Sendable {
  /// Why; more may be added.
  ///
  /// Why an update is rejected has the codes of `NumericsError`.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// A hyperparameter is outside of its range.
    public static let invalidValue = Code(rawValue: "invalid-value")
    /// An update's vectors are not as many or as long as the model's.
    public static let wrongLength = Code(rawValue: "wrong-length")
    /// There is nothing to combine.
    public static let noUpdates = Code(rawValue: "no-updates")
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
