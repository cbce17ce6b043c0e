// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusTraining

/// The "2NN": two hidden layers of 200 units; 199,210 parameters on 28 × 28 images of ten classes.
///
/// > H. B. McMahan, E. Moore, D. Ramage, S. Hampson, B. Agüera y Arcas. "Communication-efficient learning
/// > of deep networks from decentralized data." AISTATS 2017, section 3.
public struct McMahan2NN: Model {
  let hidden1 = Dense(200, activation: .relu)
  let hidden2 = Dense(200, activation: .relu)
  let logits: Dense

  public init(classes: Int) { logits = Dense(classes) }

  /// - Returns: one score per class, before softmax.
  public func callAsFunction(_ images: Symbol) -> Symbol {
    logits(hidden2(hidden1(images.flattened())))
  }
}
