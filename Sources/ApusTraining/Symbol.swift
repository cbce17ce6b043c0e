// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// An array that a graph will compute: it has a shape and a place, but no numbers.
///
/// Shapes are those of one example; the batch is implied. Parameters, and what is computed from them
/// alone, are one array for all examples.
///
/// Functions of symbols do not throw. Where shapes do not fit, the error is kept and thrown by
/// `Graph.init(tracing:input:freezing:)`.
public struct Symbol: Sendable {
  let tracer: Tracer
  let node: Int
  let signature: Signature

  /// The shape of one example.
  public var shape: Shape { signature.shape }
  /// Whether each example has a value of its own.
  public var isBatched: Bool { signature.isBatched }

  func applying(_ operation: Operation, _ others: Symbol...) -> Symbol {
    tracer.emit(operation, [self] + others)
  }

  /// A parameter of the layer, made at its first use.
  ///
  /// - Parameters:
  ///   - role: its name within the layer, for example `weight`.
  ///   - shape: its shape.
  ///   - initializer: what its first numbers are drawn from.
  ///   - layer: whose it is; the same layer and role is the same parameter.
  /// - Returns: the parameter, which is the same for all examples.
  public func parameter(
    _ role: String, _ shape: Shape, _ initializer: Initializer, of layer: any Layer
  ) -> Symbol {
    tracer.parameter(role, shape, initializer, of: layer)
  }

  /// Runs the body, in which errors are said to be the layer's.
  public func within(_ layer: any Layer, _ body: () -> Symbol) -> Symbol {
    tracer.within(layer, body)
  }

  /// Notes an error, which tracing then throws.
  ///
  /// - Returns: this symbol, to go on with.
  public func failing(_ message: String) -> Symbol {
    tracer.fail(.shapeMismatch, message)
    return self
  }

  /// An axis counted from the first; negative ones count from the last.
  func resolved(_ axis: Int) -> Int { axis < 0 ? axis + shape.rank : axis }
}
