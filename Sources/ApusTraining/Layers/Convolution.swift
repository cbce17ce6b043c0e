// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// A convolution of an image, height × width × channels, then an activation.
///
/// `weight` is height × width × channels/groups × outputs.
public final class Convolution: Layer {
  let channels: Int
  let kernel: Int
  let stride: Int
  let padding: Padding
  let groups: Int
  let activation: Activation
  let usesBias: Bool
  let initialization: Initialization

  /// - Parameters:
  ///   - channels: how many outputs at each place.
  ///   - kernel: the window's height and width.
  ///   - stride: how far it moves.
  ///   - padding: what surrounds the image.
  ///   - groups: into how many groups the channels are divided, each with filters of its own.
  ///   - activation: what is done to each output.
  ///   - usesBias: whether there is a `bias`.
  ///   - initialization: what the first weights are drawn from.
  public init(
    _ channels: Int, kernel: Int, stride: Int = 1, padding: Padding = .same, groups: Int = 1,
    activation: Activation = .identity, usesBias: Bool = true,
    initialization: Initialization = .standard
  ) {
    self.channels = channels
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.groups = groups
    self.activation = activation
    self.usesBias = usesBias
    self.initialization = initialization
  }

  public func callAsFunction(_ input: Symbol) -> Symbol {
    input.within(self) {
      let shape = input.shape
      guard shape.rank == 3, groups > 0, kernel > 0, shape[2] % groups == 0,
        let fanIn = Shape([kernel, kernel, shape[2] / groups]).checkedCount,
        let fanOut = Shape([kernel, kernel, channels / groups]).checkedCount
      else {
        return input.failing(
          "convolution of \(shape) by \(kernel)×\(kernel) in \(groups) groups: it takes"
            + " height × width × channels, the channels a multiple of the groups")
      }
      let weight = input.parameter(
        "weight", [kernel, kernel, shape[2] / groups, channels],
        initialization.weights(fanIn: fanIn, fanOut: fanOut), of: self)
      let output = input.convolved(
        with: weight, stride: stride, padding: padding, groups: groups)
      guard usesBias else { return output.activated(activation) }
      let bias = input.parameter("bias", [channels], initialization.bias(fanIn: fanIn), of: self)
      return (output + bias).activated(activation)
    }
  }
}

/// A convolution of each channel on its own, with `multiplier` outputs each.
public final class DepthwiseConvolution: Layer {
  let kernel: Int
  let multiplier: Int
  let stride: Int
  let padding: Padding
  let activation: Activation
  let usesBias: Bool
  let initialization: Initialization

  /// - Parameters:
  ///   - kernel: the window's height and width.
  ///   - multiplier: outputs per channel.
  ///   - stride: how far it moves.
  ///   - padding: what surrounds the image.
  ///   - activation: what is done to each output.
  ///   - usesBias: whether there is a `bias`.
  ///   - initialization: what the first weights are drawn from.
  public init(
    kernel: Int, multiplier: Int = 1, stride: Int = 1, padding: Padding = .same,
    activation: Activation = .identity, usesBias: Bool = true,
    initialization: Initialization = .standard
  ) {
    self.kernel = kernel
    self.multiplier = multiplier
    self.stride = stride
    self.padding = padding
    self.activation = activation
    self.usesBias = usesBias
    self.initialization = initialization
  }

  public func callAsFunction(_ input: Symbol) -> Symbol {
    input.within(self) {
      guard input.shape.rank == 3, kernel > 0, multiplier > 0,
        let fanIn = Shape([kernel, kernel]).checkedCount,
        let channels = Shape([input.shape[2], multiplier]).checkedCount
      else {
        return input.failing("depthwise convolution of \(input.shape): it takes three axes")
      }
      let weight = input.parameter(
        "weight", [kernel, kernel, 1, channels],
        initialization.weights(fanIn: fanIn, fanOut: fanIn), of: self)
      let output = input.convolved(
        with: weight, stride: stride, padding: padding, groups: input.shape[2])
      guard usesBias else { return output.activated(activation) }
      let bias = input.parameter("bias", [channels], initialization.bias(fanIn: fanIn), of: self)
      return (output + bias).activated(activation)
    }
  }
}
