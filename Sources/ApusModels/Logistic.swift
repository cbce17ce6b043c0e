// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusTraining

/// Multinomial logistic regression: one dense layer on the flattened input.
public struct Logistic: Model {
  let logits: Dense

  public init(classes: Int) { logits = Dense(classes) }

  /// - Returns: one score per class, before softmax.
  public func callAsFunction(_ input: Symbol) -> Symbol { logits(input.flattened()) }
}
