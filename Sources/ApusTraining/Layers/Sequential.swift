// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Layers one behind the other; a layer and a model itself.
///
/// ```swift
/// let model = Sequential {
///   Flatten()
///   Dense(200, activation: .relu)
///   Dense(10)
/// }
/// ```
public final class Sequential: Layer, Model {
  let layers: [any Layer]

  public init(@LayerBuilder _ layers: () -> [any Layer]) { self.layers = layers() }

  public func callAsFunction(_ input: Symbol) -> Symbol { layers.reduce(input) { $1($0) } }
}

/// All elements of an example in one axis.
public final class Flatten: Layer {
  public init() {}

  public func callAsFunction(_ input: Symbol) -> Symbol { input.flattened() }
}

/// Lists of layers with conditions and loops in them.
@resultBuilder
public enum LayerBuilder {
  public static func buildExpression(_ layer: any Layer) -> [any Layer] { [layer] }
  public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { parts.flatMap { $0 } }
  public static func buildOptional(_ part: [any Layer]?) -> [any Layer] { part ?? [] }
  public static func buildEither(first part: [any Layer]) -> [any Layer] { part }
  public static func buildEither(second part: [any Layer]) -> [any Layer] { part }
  public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { parts.flatMap { $0 } }
}
