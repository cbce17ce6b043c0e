// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// Writes the gradients of a graph down behind it, from the loss back to the parameters.
struct Differentiator {
  typealias Node = DifferentiatedGraph.Node

  private(set) var nodes: [Node]
  /// Whether a node depends on a parameter that is trained: only such nodes get gradients.
  private let isNeeded: [Bool]
  private let graph: Graph
  private var pieces: [Int: [Int]] = [:]
  private var gradients: [[Int]]

  private init(_ graph: Graph, target: Signature) throws(TrainingError) {
    self.graph = graph
    let signatures = try graph.signatures()
    nodes = zip(graph.nodes, signatures).map {
      Node(computation: .operation($0.operation), inputs: $0.inputs, signature: $1)
    }
    gradients = Array(repeating: [], count: graph.parameters.count)
    var isNeeded: [Bool] = []
    for node in graph.nodes {
      if case .parameter(let index) = node.operation {
        isNeeded.append(!graph.parameters[index].isFrozen)
      } else {
        isNeeded.append(node.inputs.contains { isNeeded[$0] })
      }
    }
    self.isNeeded = isNeeded
    nodes.append(Node(computation: .target, inputs: [], signature: target))
  }

  /// The graph with its loss only.
  static func measuring(
    _ graph: Graph, loss: Loss, target: Signature
  ) throws(TrainingError) -> DifferentiatedGraph {
    var differentiator = try Differentiator(graph, target: target)
    let loss = differentiator.emit(
      .loss(loss), [graph.output, differentiator.nodes.count - 1],
      Signature(shape: [], isBatched: false))
    return differentiator.pruned(keeping: [loss])
  }

  /// The graph with its loss and the gradients by its parameters.
  static func differentiating(
    _ graph: Graph, loss: Loss, target: Signature
  ) throws(TrainingError) -> DifferentiatedGraph {
    var differentiator = try Differentiator(graph, target: target)
    let seed = differentiator.emit(
      .lossGradient(loss), [graph.output, differentiator.nodes.count - 1],
      differentiator.nodes[graph.output].signature)
    differentiator.accumulate(seed, into: graph.output)
    for index in graph.nodes.indices.reversed() where differentiator.isNeeded[index] {
      try differentiator.differentiate(index)
    }
    return differentiator.pruned(keeping: [seed])
  }

  private mutating func differentiate(_ index: Int) throws(TrainingError) {
    guard let all = pieces.removeValue(forKey: index), let first = all.first,
      case .operation(let operation) = nodes[index].computation
    else { return }
    // Pieces of a parameter's gradient are added where it is stored.
    if case .parameter(let parameter) = operation {
      gradients[parameter] += all
      return
    }
    var gradient = first
    for piece in all.dropFirst() { gradient = try emit(.binary(.add), gradient, piece) }
    try applyRule(for: operation, at: index, inputs: nodes[index].inputs, gradient)
  }

  /// What the seeds and the gradients depend on.
  private func pruned(keeping seeds: [Int]) -> DifferentiatedGraph {
    var isUsed = [Bool](repeating: false, count: nodes.count)
    for root in seeds + gradients.joined() { isUsed[root] = true }
    for index in nodes.indices.reversed() where isUsed[index] {
      for input in nodes[index].inputs { isUsed[input] = true }
    }
    var renumbered: [Int: Int] = [:]
    var kept: [Node] = []
    for index in nodes.indices where isUsed[index] {
      var node = nodes[index]
      node.inputs = node.inputs.compactMap { renumbered[$0] }
      renumbered[index] = kept.count
      kept.append(node)
    }
    return DifferentiatedGraph(
      nodes: kept, gradients: gradients.map { $0.compactMap { renumbered[$0] } },
      parameters: graph.parameters)
  }
}

// What the rules are written with.

extension Differentiator {
  func needs(_ node: Int) -> Bool { isNeeded[node] }

  func signature(of node: Int) -> Signature { nodes[node].signature }

  mutating func emit(_ computation: Computation, _ inputs: [Int], _ signature: Signature) -> Int {
    nodes.append(Node(computation: computation, inputs: inputs, signature: signature))
    return nodes.count - 1
  }

  mutating func emit(_ operation: Operation, _ inputs: Int...) throws(TrainingError) -> Int {
    let signature = try operation.result(of: inputs.map { nodes[$0].signature })
    return emit(.operation(operation), inputs, signature)
  }

  /// Adds a piece to the gradient of a node.
  mutating func accumulate(_ gradient: Int, into node: Int) {
    pieces[node, default: []].append(gradient)
  }

  /// The gradient as the node itself is shaped: what was broadcast is summed.
  mutating func summed(_ gradient: Int, like node: Int) -> Int {
    let target = signature(of: node)
    return signature(of: gradient) == target
      ? gradient : emit(.sumToShape, [gradient], target)
  }
}
