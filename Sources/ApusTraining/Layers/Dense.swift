// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// x W + b over the last axis, then an activation.
///
/// `weight` is inputs × units.
public final class Dense: Layer {
  let units: Int
  let activation: Activation
  let usesBias: Bool
  let initialization: Initialization

  /// - Parameters:
  ///   - units: how many outputs.
  ///   - activation: what is done to each output.
  ///   - usesBias: whether there is a `bias`.
  ///   - initialization: what the first weights are drawn from.
  public init(
    _ units: Int, activation: Activation = .identity, usesBias: Bool = true,
    initialization: Initialization = .standard
  ) {
    self.units = units
    self.activation = activation
    self.usesBias = usesBias
    self.initialization = initialization
  }

  public func callAsFunction(_ input: Symbol) -> Symbol {
    input.within(self) {
      guard input.shape.rank >= 1 else { return input.failing("a dense layer of a scalar") }
      let inputs = input.shape[-1]
      let weight = input.parameter(
        "weight", [inputs, units], initialization.weights(fanIn: inputs, fanOut: units), of: self)
      let product = input.product(with: weight)
      guard usesBias else { return product.activated(activation) }
      let bias = input.parameter("bias", [units], initialization.bias(fanIn: inputs), of: self)
      return (product + bias).activated(activation)
    }
  }
}
