// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a layer does to each of its outputs.
public enum Activation: Hashable, Sendable {
  case identity
  case relu
  case leakyRelu(slope: Float = 0.01)
  case sigmoid
  case tanh
  /// With the error function.
  case gelu
  /// Approximated with tanh.
  case geluTanh
  case silu

  var function: UnaryFunction? {
    switch self {
    case .identity: nil
    case .relu: .relu
    case .leakyRelu(let slope): .leakyRelu(slope: slope)
    case .sigmoid: .sigmoid
    case .tanh: .tanh
    case .gelu: .gelu
    case .geluTanh: .geluTanh
    case .silu: .silu
    }
  }
}
