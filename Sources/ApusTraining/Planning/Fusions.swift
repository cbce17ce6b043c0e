// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// Which nodes of a graph are computed in one step, with the same bits as one after the other.
///
/// - A bias and relu are what a product or a convolution does to its result while it has it in registers.
/// - A bias and any other activation are one pass.
/// - The maximum of what relu lets through is what relu lets through of the maximum, and it gives back
///   where it is positive: relu's own passes over the larger image, forwards and backwards, are left out.
struct Fusions {
  /// What the step of a node is instead of the node's own computation.
  struct Fused {
    let action: Step.Action
    let inputs: [Int]
    /// The node whose kernel it is, which says how much scratch is needed.
    let kernel: Int
  }

  /// By node.
  private(set) var steps: [Int: Fused] = [:]
  /// Nodes that have no step, since another one computes them.
  private(set) var absorbed: Set<Int> = []
  private let nodes: [DifferentiatedGraph.Node]
  private let userCounts: [Int]

  init(of graph: DifferentiatedGraph, userCounts: [Int]) {
    nodes = graph.nodes
    self.userCounts = userCounts
    for index in nodes.indices { fuseActivation(at: index) }
    for index in nodes.indices { fuseBias(at: index) }
    for index in nodes.indices { fusePooling(at: index) }
  }

  private func operation(_ node: Int) -> Operation? {
    if case .operation(let operation) = nodes[node].computation { operation } else { nil }
  }

  // MARK: Biases

  /// f(x + bias).
  private mutating func fuseActivation(at index: Int) {
    guard case .unary(let function)? = operation(index), function.activation != nil,
      case let addition = nodes[index].inputs[0], userCounts[addition] == 1,
      let (full, bias) = biasOperands(of: addition)
    else { return }
    absorbed.insert(addition)
    if function == .relu, let kernel = epilogueOwner(full, bias) {
      absorbed.insert(full)
      steps[index] = Fused(
        action: .fused(kernel, rectifying: true), inputs: nodes[full].inputs + [bias], kernel: full)
    } else {
      steps[index] = Fused(
        action: .biasActivation(function), inputs: [full, bias], kernel: index)
    }
  }

  /// x + bias, with nothing fusible behind it.
  private mutating func fuseBias(at index: Int) {
    guard !absorbed.contains(index), let (full, bias) = biasOperands(of: index),
      let kernel = epilogueOwner(full, bias)
    else { return }
    absorbed.insert(full)
    steps[index] = Fused(
      action: .fused(kernel, rectifying: false), inputs: nodes[full].inputs + [bias], kernel: full)
  }

  /// The operation of a node that can add such a bias to its rows; nil where others read it without.
  private func epilogueOwner(_ full: Int, _ bias: Int) -> Operation? {
    guard userCounts[full] == 1, nodes[bias].signature.count == nodes[full].signature.columns,
      let operation = operation(full)
    else { return nil }
    return switch operation {
    case .product, .convolution: operation
    default: nil
    }
  }

  /// The full operand of a sum and the one that is repeated in its rows; nil where there is no such.
  private func biasOperands(of addition: Int) -> (full: Int, bias: Int)? {
    guard case .binary(.add)? = operation(addition) else { return nil }
    let node = nodes[addition]
    for (full, bias) in [(0, 1), (1, 0)] {
      let (full, bias) = (node.inputs[full], node.inputs[bias])
      let (whole, row) = (nodes[full].signature, nodes[bias].signature)
      if whole == node.signature, row != node.signature, node.signature.repeatsRows(of: row) {
        return (full, bias)
      }
    }
    return nil
  }

  // MARK: Pooling

  /// The gradient by x of the pooling of relu(x), and the pooling itself where nobody else needs relu(x).
  private mutating func fusePooling(at index: Int) {
    switch nodes[index].computation {
    case .unaryGradient(.relu):
      let (known, gradient) = (nodes[index].inputs[0], nodes[index].inputs[1])
      guard userCounts[gradient] == 1,
        case .maxPoolGradient(let window) = nodes[gradient].computation,
        case let places = nodes[gradient].inputs[0], case let pooled = nodes[places].inputs[0],
        nodes[pooled].inputs == [known], case .unary(.relu)? = operation(known)
      else { return }
      absorbed.insert(gradient)
      steps[index] = Fused(
        action: .rectifiedMaxPoolGradient(window),
        inputs: [places, nodes[gradient].inputs[1], pooled], kernel: gradient)
      if userCounts[known] == 2 { rectify(pooled, insteadOf: known) }
    case .operation(.maxPool):
      let known = nodes[index].inputs[0]
      if userCounts[known] == 1 { rectify(index, insteadOf: known) }
    default: break
    }
  }

  private mutating func rectify(_ pooled: Int, insteadOf relu: Int) {
    guard case .maxPool(let window)? = operation(pooled), case .unary(.relu)? = operation(relu),
      steps[relu] == nil
    else { return }
    absorbed.insert(relu)
    steps[pooled] = Fused(
      action: .rectifiedMaxPool(window), inputs: nodes[relu].inputs, kernel: pooled)
  }
}
