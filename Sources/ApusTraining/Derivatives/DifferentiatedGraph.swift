// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// A graph with its loss and what training needs of its gradients, and nothing else.
///
/// Nodes are in an order in which each only uses earlier ones; those of the model come first.
struct DifferentiatedGraph {
  struct Node {
    var computation: Computation
    var inputs: [Int]
    var signature: Signature
  }

  var nodes: [Node]
  /// By parameter of the graph: the nodes whose sum is its gradient; none for frozen ones.
  var gradients: [[Int]]
  let parameters: [Graph.Parameter]
}

/// What a node of a differentiated graph computes.
///
/// dy is the gradient of the loss by the result of the operation that the rule belongs to, dx the one
/// by its input x.
enum Computation: Hashable {
  case operation(Operation)
  /// What the model is to answer.
  case target
  /// From output and target. Adds to the loss; its value is the gradient by the output.
  case lossGradient(Loss)
  /// From output and target. Adds to the loss; it has no value.
  case loss(Loss)
  /// Another result of its input, which the derivative needs: where a maximum was, a mean, a deviation.
  case auxiliary(Int)
  /// From x or y (see ``UnaryFunction/derivativeUsesOutput``) and dy.
  case unaryGradient(UnaryFunction)
  /// From y and dy.
  case softmaxGradient
  /// From y and dy.
  case logSoftmaxGradient
  /// Sums over the axes, and the batch, that the node's own signature does not have.
  case sumToShape
  /// dx of a sum or mean over axes, from dy.
  case reductionGradient(axes: [Int], scale: Float)
  /// dx of a maximum over axes, from where it was and dy.
  case maxGradient(axes: [Int])
  /// Aᵀ B over all rows of all examples.
  case rowsProduct
  /// From filters and dy.
  case convolutionInputGradient(Window, groups: Int)
  /// From images and dy.
  case convolutionFilterGradient(Window, groups: Int)
  /// From where the maxima were and dy.
  case maxPoolGradient(Window)
  /// From dy.
  case averagePoolGradient(Window)
  /// The gradient of a table, from indices and dy.
  case scatterAdd
  /// From x, mean, reciprocal of the deviation and dy.
  case layerNormalizationGradient(axes: Int)
  /// From x, mean, reciprocal of the deviation and dy.
  case groupNormalizationGradient(groups: Int)
}

extension UnaryFunction {
  /// Whether the derivative is computed from the output rather than the input.
  var derivativeUsesOutput: Bool {
    switch self {
    case .exp, .sqrt, .relu, .leakyRelu, .sigmoid, .tanh: true
    case .negate, .log, .power, .gelu, .geluTanh, .silu: false
    }
  }
}
