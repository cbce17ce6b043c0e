// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// What a model's one call is written down in.
///
/// - Note: `@unchecked Sendable` holds because a tracer lives inside `Graph.init(tracing:)`, on one
///   thread; symbols, which refer to it, are of no use afterwards.
final class Tracer: @unchecked Sendable {
  struct Node {
    let operation: Operation
    let inputs: [Int]
    let signature: Signature
  }

  struct Parameter {
    let name: String
    let shape: Shape
    let initializer: Initializer
  }

  private(set) var nodes: [Node] = []
  private(set) var parameters: [Parameter] = []
  /// The first thing that went wrong; the model's code cannot throw.
  private(set) var error: TrainingError?

  private var names: [ObjectIdentifier: String] = [:]
  private var takenNames: Set<String> = []
  /// Kept alive, because an identifier is unique among living objects only.
  private var layers: [any Layer] = []
  private var nodeOfParameter: [String: Int] = [:]
  private var currentLayers: [String] = []
  private var dropoutCount = 0

  init(_ model: some Model) { nameLayers(in: model, path: []) }

  /// One walk over the stored properties gives each layer the name that its author gave it.
  private func nameLayers(in value: Any, path: [String]) {
    let mirror = Mirror(reflecting: value)
    for (ordinal, child) in mirror.children.enumerated() {
      // The wrapper of an optional and the list in a `Sequential` are no names of the author's.
      let label = child.label.map { $0.hasPrefix(".") ? String($0.dropFirst()) : $0 }
      let isList = value is Sequential && child.value is [any Layer]
      let isSame = isList || mirror.displayStyle == .optional
      let path = isSame ? path : path + [label ?? "\(ordinal)"]
      if let layer = child.value as? any Layer {
        guard names[ObjectIdentifier(layer)] == nil else { continue }
        register(layer, as: path.joined(separator: "."))
      }
      nameLayers(in: child.value, path: path)
    }
  }

  private func register(_ layer: any Layer, as name: String) {
    var unique = name
    var ordinal = 1
    while !takenNames.insert(unique).inserted {
      ordinal += 1
      unique = "\(name)\(ordinal)"
    }
    names[ObjectIdentifier(layer)] = unique
    layers.append(layer)
  }

  /// The layer's name; one that no property holds is called after its type.
  func name(of layer: any Layer) -> String {
    if let name = names[ObjectIdentifier(layer)] { return name }
    let type = String(describing: Swift.type(of: layer))
    register(layer, as: type.prefix(1).lowercased() + type.dropFirst())
    return names[ObjectIdentifier(layer)] ?? type
  }

  func input(_ input: InputSignature) -> Symbol {
    append(
      .input, [],
      Signature(shape: input.shape, isBatched: true, isTokens: input.kind == .tokens))
  }

  /// Puts a node behind the others; where the shapes do not fit, notes the error instead.
  func emit(_ operation: Operation, _ inputs: [Symbol]) -> Symbol {
    guard inputs.allSatisfy({ $0.tracer === self }) else {
      fail(.unsupportedModel, "\(operation.name) of symbols of different graphs.")
      return inputs[0]
    }
    if error == nil {
      do {
        let signature = try operation.result(of: inputs.map(\.signature))
        return append(operation, inputs.map(\.node), signature)
      } catch { fail(error.code, error.message) }
    }
    return inputs.first ?? append(.constant(0), [], Signature(shape: [], isBatched: false))
  }

  func parameter(
    _ role: String, _ shape: Shape, _ initializer: Initializer, of layer: any Layer
  ) -> Symbol {
    let name = name(of: layer) + "." + role
    if let node = nodeOfParameter[name] {
      let known = nodes[node].signature
      if known.shape != shape {
        fail(
          .shapeMismatch,
          "\(role) is shared and has the shape \(known.shape), but \(shape) is needed here.")
      }
      return Symbol(tracer: self, node: node, signature: known)
    }
    guard let count = shape.checkedCount, count > 0, count <= Signature.largestCount else {
      fail(.shapeMismatch, "\(role) cannot have the shape \(shape).")
      return append(.constant(0), [], Signature(shape: [], isBatched: false))
    }
    parameters.append(Parameter(name: name, shape: shape, initializer: initializer))
    let symbol = append(
      .parameter(parameters.count - 1), [], Signature(shape: shape, isBatched: false))
    nodeOfParameter[name] = symbol.node
    return symbol
  }

  func nextDropout() -> Int {
    defer { dropoutCount += 1 }
    return dropoutCount
  }

  func within(_ layer: any Layer, _ body: () -> Symbol) -> Symbol {
    currentLayers.append(name(of: layer))
    defer { currentLayers.removeLast() }
    return body()
  }

  func fail(_ code: TrainingError.Code, _ message: String) {
    guard error == nil else { return }
    error = TrainingError(code, (currentLayers.last.map { "\($0): " } ?? "") + message)
  }

  private func append(
    _ operation: Operation, _ inputs: [Int], _ signature: Signature
  ) -> Symbol {
    nodes.append(Node(operation: operation, inputs: inputs, signature: signature))
    return Symbol(tracer: self, node: nodes.count - 1, signature: signature)
  }
}
