// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What went wrong between a model's declaration and its first step.
public struct TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of error, for programs; open, so that new ones break nobody.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// Two shapes that do not go together.
    public static let shapeMismatch = Code(rawValue: "shape-mismatch")
    /// A graph that no tracing could have made.
    public static let invalidGraph = Code(rawValue: "invalid-graph")
    /// Examples that do not fit the model.
    public static let dataMismatch = Code(rawValue: "data-mismatch")
    /// A model that cannot be trained as asked.
    public static let unsupportedModel = Code(rawValue: "unsupported-model")
    /// More memory than there is.
    public static let outOfMemory = Code(rawValue: "out-of-memory")
  }

  public let code: Code
  /// What happened, what was expected and what to do.
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
