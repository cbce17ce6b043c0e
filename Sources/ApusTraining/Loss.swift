// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What training makes small, as a mean over the examples of a batch.
public enum Loss: String, Codable, Hashable, Sendable {
  /// −log softmax(scores)[class], for scores of `classes` or `length × classes`.
  ///
  /// In sequences a negative class is a place that does not count.
  case softmaxCrossEntropy
  /// −t log σ(s) − (1 − t) log(1 − σ(s)) per score, as a mean over an example's scores.
  ///
  /// Targets are numbers in 0...1, or two classes for a single score.
  case sigmoidCrossEntropy
  /// (output − target)², as a mean over an example's outputs.
  case meanSquaredError
}
