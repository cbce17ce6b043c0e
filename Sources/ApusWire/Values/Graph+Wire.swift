// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
package import ApusTraining

extension Graph {
  /// Reads a graph, and believes nothing in it: numbers are bounded here, and the graph's own validation
  /// computes every shape again.
  ///
  /// - Throws: `malformed`, `invalid-value` or `unsupported`, with the node.
  package init(_ proto: Proto.Graph) throws(WireError) {
    guard let input = proto.input else { throw .missing("the input", of: "a graph") }
    var nodes: [Node] = []
    nodes.reserveCapacity(proto.nodes.count)
    for (index, node) in proto.nodes.enumerated() {
      do throws(WireError) { nodes.append(try Node(node)) } catch {
        throw WireError(error.code, "node \(index): \(error.message)")
      }
    }
    var parameters: [Parameter] = []
    parameters.reserveCapacity(proto.parameters.count)
    for parameter in proto.parameters { parameters.append(try Parameter(parameter)) }
    let signature = try InputSignature(input)
    do throws(TrainingError) {
      try self.init(
        checking: nodes, parameters: parameters, input: signature, output: Int(proto.output))
    } catch { throw WireError(.invalidValue, error.message, cause: error) }
  }
}

extension Graph.Node {
  fileprivate init(_ proto: Proto.Node) throws(WireError) {
    guard let operation = proto.operation, let shape = proto.shape else {
      throw .missing("its operation or shape", of: "it")
    }
    self.init(
      operation: try Operation(operation), inputs: proto.inputs.map { Int($0) },
      shape: try Shape(shape), isBatched: proto.isBatched)
  }
}

extension Graph.Parameter {
  fileprivate init(_ proto: Proto.Parameter) throws(WireError) {
    guard let shape = proto.shape else { throw .missing("its shape", of: "a parameter") }
    let initializer: Initializer
    switch proto.initializer?.kind {
    case .constant(let value) where value.isFinite: initializer = .constant(value)
    case .uniformBound(let bound) where bound >= 0 && bound <= 0x1p100:
      initializer = .uniform(bound: bound)
    case .normalDeviation(let deviation) where deviation >= 0 && deviation <= 0x1p100:
      initializer = .normal(standardDeviation: deviation)
    case nil: throw .missing("its initializer", of: "a parameter")
    default:
      throw WireError(.invalidValue, "a parameter's initializer has a number that is out of range")
    }
    self.init(
      name: proto.name, shape: try Shape(shape), initializer: initializer, isFrozen: proto.isFrozen)
  }
}

extension Proto.Graph {
  package init(_ graph: Graph) {
    self.init()
    nodes = graph.nodes.map { node in
      Proto.Node {
        $0.operation = Proto.Operation(node.operation)
        $0.inputs = node.inputs.map { UInt32(clamping: $0) }
        $0.shape = Proto.Shape(node.shape)
        $0.isBatched = node.isBatched
      }
    }
    parameters = graph.parameters.map { parameter in
      Proto.Parameter {
        $0.name = parameter.name
        $0.shape = Proto.Shape(parameter.shape)
        $0.initializer = Proto.Initializer(parameter.initializer)
        $0.isFrozen = parameter.isFrozen
      }
    }
    input = Proto.InputSignature(graph.input)
    output = UInt32(clamping: graph.output)
  }
}

extension Proto.Initializer {
  fileprivate init(_ initializer: Initializer) {
    self.init()
    kind =
      switch initializer {
      case .constant(let value): .constant(value)
      case .uniform(let bound): .uniformBound(bound)
      case .normal(let deviation): .normalDeviation(deviation)
      }
  }
}
