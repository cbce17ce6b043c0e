// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// How a model did on some examples, as sums, so that parts can be added.
public struct Evaluation: Hashable, Sendable {
  /// How many answers were measured: one an example, or one for each place of a sequence that counts.
  public var exampleCount: Int
  /// The sum of the losses of the answers.
  public var lossSum: Double
  /// How many answers were right; 0 for the squared error, which has no right ones.
  public var correctCount: Int

  public init(exampleCount: Int = 0, lossSum: Double = 0, correctCount: Int = 0) {
    self.exampleCount = exampleCount
    self.lossSum = lossSum
    self.correctCount = correctCount
  }

  /// The share of right answers, in 0...1; 0 where nothing was measured.
  public var accuracy: Double {
    exampleCount == 0 ? 0 : Double(correctCount) / Double(exampleCount)
  }

  /// The loss per answer; 0 where nothing was measured.
  public var meanLoss: Double { exampleCount == 0 ? 0 : lossSum / Double(exampleCount) }

  public static func + (a: Evaluation, b: Evaluation) -> Evaluation {
    Evaluation(
      exampleCount: a.exampleCount + b.exampleCount, lossSum: a.lossSum + b.lossSum,
      correctCount: a.correctCount + b.correctCount)
  }

  public static func += (a: inout Evaluation, b: Evaluation) { a = a + b }
}
