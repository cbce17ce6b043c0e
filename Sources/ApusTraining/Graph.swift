// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// What a model computes, as a plain value: it has no closures and can be sent over a wire.
///
/// Nodes are in an order in which each only uses earlier ones.
public struct Graph: Hashable, Sendable {
  /// One value: what computes it, from what, and its shape.
  public struct Node: Codable, Hashable, Sendable {
    public let operation: Operation
    /// Earlier nodes.
    public let inputs: [Int]
    /// The shape of one example, or the shape of the one value there is for all examples.
    public let shape: Shape
    /// Whether each example has a value of its own.
    public let isBatched: Bool

    package init(operation: Operation, inputs: [Int], shape: Shape, isBatched: Bool) {
      self.operation = operation
      self.inputs = inputs
      self.shape = shape
      self.isBatched = isBatched
    }
  }

  /// A named array of numbers that training changes, or (frozen) uses only.
  public struct Parameter: Codable, Hashable, Sendable {
    public let name: String
    public let shape: Shape
    public let initializer: Initializer
    public let isFrozen: Bool

    package init(name: String, shape: Shape, initializer: Initializer, isFrozen: Bool) {
      self.name = name
      self.shape = shape
      self.initializer = initializer
      self.isFrozen = isFrozen
    }
  }

  public let nodes: [Node]
  public let parameters: [Parameter]
  public let input: InputSignature
  /// The node that is the model's output.
  public let output: Int

  /// The order of the numbers that are trained.
  public var layout: ParameterLayout { layout(frozen: false) }
  /// The order of the numbers that are not.
  public var frozenLayout: ParameterLayout { layout(frozen: true) }
  /// The shape of one example's output.
  public var outputShape: Shape { nodes[output].shape }

  private func layout(frozen: Bool) -> ParameterLayout {
    var layout = ParameterLayout()
    for parameter in parameters where parameter.isFrozen == frozen {
      layout.append(parameter.name, parameter.shape)
    }
    return layout
  }
}

extension Graph {
  /// Calls the model once, with a symbol for its input.
  ///
  /// - Parameters:
  ///   - model: the declaration.
  ///   - input: the shape of one example.
  ///   - isFrozen: told a parameter's name, whether it is not to be trained.
  /// - Throws: `shapeMismatch` with the layer, the operation and both shapes; `unsupportedModel`.
  public init(
    tracing model: some Model, input: InputSignature,
    freezing isFrozen: (String) -> Bool = { _ in false }
  ) throws(TrainingError) {
    let tracer = Tracer(model)
    let output = model(tracer.input(input))
    if let error = tracer.error { throw error }
    guard output.tracer === tracer else {
      throw TrainingError(.unsupportedModel, "The output is a symbol of another model's graph.")
    }
    try self.init(
      checking: tracer.nodes.map {
        Node(
          operation: $0.operation, inputs: $0.inputs, shape: $0.signature.shape,
          isBatched: $0.signature.isBatched)
      },
      parameters: tracer.parameters.map {
        Parameter(
          name: $0.name, shape: $0.shape, initializer: $0.initializer, isFrozen: isFrozen($0.name))
      },
      input: input, output: output.node)
  }
}
