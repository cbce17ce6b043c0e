// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// Normalizes each example over its last axis, then scales by `weight` and shifts by `bias`.
///
/// > J. L. Ba, J. R. Kiros, G. E. Hinton. "Layer normalization." arXiv:1607.06450.
public final class LayerNorm: Layer {
  let epsilon: Float

  public init(epsilon: Float = 1e-5) { self.epsilon = epsilon }

  public func callAsFunction(_ input: Symbol) -> Symbol {
    input.within(self) {
      guard input.shape.rank >= 1 else { return input.failing("a layer norm of a scalar") }
      let weight = input.parameter("weight", [input.shape[-1]], .constant(1), of: self)
      let bias = input.parameter("bias", [input.shape[-1]], .constant(0), of: self)
      return input.layerNormalized(epsilon: epsilon) * weight + bias
    }
  }
}

/// Normalizes each example over groups of channels (the last axis) at all places, then scales each channel
/// by `weight` and shifts it by `bias`.
///
/// > Y. Wu, K. He. "Group normalization." ECCV 2018.
public final class GroupNorm: Layer {
  let groups: Int
  let epsilon: Float

  public init(groups: Int, epsilon: Float = 1e-5) {
    self.groups = groups
    self.epsilon = epsilon
  }

  public func callAsFunction(_ input: Symbol) -> Symbol {
    input.within(self) {
      guard input.shape.rank >= 1 else { return input.failing("a group norm of a scalar") }
      let weight = input.parameter("weight", [input.shape[-1]], .constant(1), of: self)
      let bias = input.parameter("bias", [input.shape[-1]], .constant(0), of: self)
      return input.groupNormalized(groups: groups, epsilon: epsilon) * weight + bias
    }
  }
}
