// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Which optimizer takes a client's local steps.
public enum OptimizerChoice: Hashable, Sendable, Codable {
  case sgd(momentum: Float = 0, nesterov: Bool = false, weightDecay: Float = 0)
  case adam(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, weightDecay: Float = 0)
  case adamW(
    beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, weightDecay: Float = 0.01)
}
