// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

// A graph may come from anywhere. Nothing in it is believed: shapes are computed again from the shape rules
// and sizes are bounded before anybody allocates by them.

extension Graph {
  private static let nodeLimit = 10_000
  private static let nameLimit = 1_000

  /// A graph of these parts, after a look at every one of them.
  ///
  /// - Throws: `TrainingError.invalidGraph` where the parts do not make a graph.
  package init(
    checking nodes: [Node], parameters: [Parameter], input: InputSignature, output: Int
  ) throws(TrainingError) {
    self.nodes = nodes
    self.parameters = parameters
    self.input = input
    self.output = output
    try validate()
  }

  /// What is known of each node's value.
  func signatures() throws(TrainingError) -> [Signature] {
    var signatures: [Signature] = []
    signatures.reserveCapacity(nodes.count)
    for (index, node) in nodes.enumerated() {
      guard node.inputs.allSatisfy({ 0..<index ~= $0 }) else {
        throw Self.invalid("Node \(index) uses \(node.inputs), which are not all earlier nodes.")
      }
      let computed = try signature(of: node, from: node.inputs.map { signatures[$0] })
      guard computed.shape == node.shape, computed.isBatched == node.isBatched else {
        throw Self.invalid(
          "Node \(index), \(node.operation.name), is declared as \(node.shape) but is"
            + " \(computed.shape)\(computed.isBatched ? " per example" : "").")
      }
      signatures.append(computed)
    }
    return signatures
  }

  private static func invalid(_ message: String) -> TrainingError {
    TrainingError(.invalidGraph, message)
  }

  private func validate() throws(TrainingError) {
    guard nodes.count <= Self.nodeLimit, parameters.count <= Self.nodeLimit else {
      throw Self.invalid("A graph has at most \(Self.nodeLimit) nodes, not \(nodes.count).")
    }
    try Self.requireSize(input.shape, "The input")
    try validateParameters()
    guard nodes.count(where: { $0.operation == .input }) == 1 else {
      throw Self.invalid("A graph has one input.")
    }
    let signatures = try signatures()
    guard nodes.indices ~= output, signatures[output].isBatched, !signatures[output].isTokens else {
      throw Self.invalid("The output, node \(output), is not a number computed from the input.")
    }
  }

  private func validateParameters() throws(TrainingError) {
    var names: Set<String> = []
    var total = 0
    for parameter in parameters {
      guard !parameter.name.isEmpty, parameter.name.utf8.count <= Self.nameLimit else {
        throw Self.invalid("A parameter's name has 1 to \(Self.nameLimit) bytes.")
      }
      guard names.insert(parameter.name).inserted else {
        throw Self.invalid("Two parameters are named \(parameter.name).")
      }
      total += try Self.requireSize(parameter.shape, parameter.name)
    }
    guard total <= 1 << 36 else { throw Self.invalid("The parameters have \(total) numbers.") }
  }

  @discardableResult
  private static func requireSize(_ shape: Shape, _ what: String) throws(TrainingError) -> Int {
    guard shape.rank <= Signature.highestRank, let count = shape.checkedCount,
      count > 0, count <= Signature.largestCount
    else { throw invalid("\(what) cannot have the shape \(shape).") }
    return count
  }

  private func signature(of node: Node, from inputs: [Signature]) throws(TrainingError) -> Signature
  {
    switch node.operation {
    case .input:
      return Signature(shape: input.shape, isBatched: true, isTokens: input.kind == .tokens)
    case .parameter(let index):
      guard parameters.indices ~= index else {
        throw Self.invalid("There is no parameter \(index).")
      }
      return Signature(shape: parameters[index].shape, isBatched: false)
    default:
      do { return try node.operation.result(of: inputs) } catch {
        throw Self.invalid(error.message)
      }
    }
  }
}

extension Graph: Codable {
  private enum CodingKeys: String, CodingKey {
    case nodes, parameters, input, output
  }

  /// - Throws: `TrainingError.invalidGraph` where the parts do not make a graph.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      checking: container.decode([Node].self, forKey: .nodes),
      parameters: container.decode([Parameter].self, forKey: .parameters),
      input: container.decode(InputSignature.self, forKey: .input),
      output: container.decode(Int.self, forKey: .output))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(nodes, forKey: .nodes)
    try container.encode(parameters, forKey: .parameters)
    try container.encode(input, forKey: .input)
    try container.encode(output, forKey: .output)
  }
}
