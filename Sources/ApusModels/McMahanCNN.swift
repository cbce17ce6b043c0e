// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusTraining

/// The convolutional network for MNIST; 1,663,370 parameters on 28 × 28 images of ten classes.
///
/// > H. B. McMahan, E. Moore, D. Ramage, S. Hampson, B. Agüera y Arcas. "Communication-efficient learning
/// > of deep networks from decentralized data." AISTATS 2017, section 3.
public struct McMahanCNN: Model {
  let conv1 = Convolution(32, kernel: 5, activation: .relu)
  let conv2 = Convolution(64, kernel: 5, activation: .relu)
  let hidden = Dense(512, activation: .relu)
  let logits: Dense

  public init(classes: Int) { logits = Dense(classes) }

  /// - Parameter images: height × width × channels.
  /// - Returns: one score per class, before softmax.
  public func callAsFunction(_ images: Symbol) -> Symbol {
    var x = conv1(images).maxPooled(by: 2)
    x = conv2(x).maxPooled(by: 2)
    return logits(hidden(x.flattened()))
  }
}
