// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTraining

extension ParityCase {
  static let images: [ParityCase] = [
    ParityCase("convolution/valid") { x, _ in
      Convolution(5, kernel: 3, padding: .valid, usesBias: false)(x)
    },
    ParityCase("convolution/same") { x, _ in Convolution(5, kernel: 3)(x) },
    ParityCase("convolution/same_even") { x, _ in Convolution(3, kernel: 4)(x) },
    ParityCase("convolution/stride") { x, _ in Convolution(5, kernel: 3, stride: 2)(x) },
    ParityCase("convolution/padding") { x, _ in
      Convolution(2, kernel: 4, stride: 3, padding: .amount(2))(x)
    },
    ParityCase("convolution/groups") { x, _ in
      Convolution(6, kernel: 3, padding: .amount(1), groups: 2)(x)
    },
    ParityCase("convolution/pointwise") { x, _ in Convolution(17, kernel: 1, padding: .valid)(x) },
    ParityCase("convolution/depthwise1") { x, _ in DepthwiseConvolution(kernel: 3, stride: 2)(x) },
    ParityCase("convolution/depthwise3") { x, _ in
      DepthwiseConvolution(kernel: 3, multiplier: 3, stride: 2)(x)
    },
    ParityCase("convolution/relu") { x, _ in Convolution(3, kernel: 5, activation: .relu)(x) },
    ParityCase("maxPool/plain") { x, _ in MaxPool(2)(x) },
    ParityCase("maxPool/overlapping") { x, _ in MaxPool(3, stride: 2, padding: .amount(1))(x) },
    ParityCase("maxPool/same") { x, _ in MaxPool(3, stride: 2, padding: .same)(x) },
    ParityCase("averagePool/plain") { x, _ in AveragePool(2)(x) },
    ParityCase("averagePool/overlapping") { x, _ in
      AveragePool(3, stride: 2, padding: .amount(1))(x)
    },
    ParityCase("globalAveragePool") { x, _ in GlobalAveragePool()(x) },
    ParityCase("flatten") { x, _ in Flatten()(x) },
  ]

  static let norms: [ParityCase] = [
    ParityCase("layerNorm/vector") { x, _ in x.layerNormalized() },
    ParityCase("layerNorm/two_axes") { x, _ in x.layerNormalized(axes: 2) },
    ParityCase("layerNorm/layer") { x, _ in LayerNorm()(x) },
    ParityCase("groupNorm/one") { x, _ in x.groupNormalized(groups: 1) },
    ParityCase("groupNorm/each") { x, _ in x.groupNormalized(groups: 4) },
    ParityCase("groupNorm/layer") { x, _ in GroupNorm(groups: 2)(x) },
  ]

  static let layers: [ParityCase] = [
    ParityCase("embedding") { x, _ in Embedding(7, width: 6)(x) },
    ParityCase("dense/vector") { x, _ in Dense(5)(x) },
    ParityCase("dense/matrix") { x, _ in Sequential { Dense(5) }(x) },
    ParityCase("residual") { x, _ in x + Dense(6, activation: .relu)(x) },
    ParityCase("shared") { x, _ in
      let dense = Dense(6)
      return dense(dense(x).activated(.tanh))
    },
  ]
}
