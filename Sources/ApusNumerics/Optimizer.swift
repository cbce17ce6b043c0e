// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus

/// An optimizer at work: the choice and what it remembers from step to step.
///
/// The formulas, letter by letter, are those of PyTorch's `SGD` (without dampening), `Adam` and `AdamW`.
public struct Optimizer: Sendable {
  public let choice: OptimizerChoice
  /// How many steps were taken.
  public private(set) var stepCount = 0
  /// Momentum's velocity, or Adam's first moment; empty where there is none.
  private var first: ParameterVector
  /// Adam's second moment; empty where there is none.
  private var second: ParameterVector
  /// beta1 and beta2 to the power of ``stepCount``.
  private var powers = (1.0, 1.0)

  /// - Allocates: nothing for SGD without momentum, one vector with it, two for Adam.
  public init(_ choice: OptimizerChoice, parameterCount: Int) {
    self.choice = choice
    switch choice {
    case .sgd(let momentum, _, _):
      first = ParameterVector(count: momentum == 0 ? 0 : parameterCount)
      second = ParameterVector(count: 0)
    case .adam, .adamW:
      first = ParameterVector(count: parameterCount)
      second = ParameterVector(count: parameterCount)
    }
  }

  /// Moves `x` against the gradient.
  ///
  /// - Parameters:
  ///   - x: the parameters.
  ///   - gradient: of the loss at `x`.
  ///   - rate: the learning rate.
  /// - Precondition: the vectors have the same length, the one that the optimizer was made for.
  public mutating func step(
    _ x: inout ParameterVector, with gradient: ParameterVector, rate: Float
  ) {
    precondition(x.count == gradient.count, "Vectors of different lengths.")
    stepCount += 1
    switch choice {
    case .sgd(momentum: 0, _, let weightDecay):
      x.withUnsafeMutableBufferPointer { x in
        gradient.withUnsafeBufferPointer { g in
          apus_sgd_step(x.count, x.baseAddress, g.baseAddress, rate, weightDecay)
        }
      }
    case .sgd(let momentum, let nesterov, let weightDecay):
      precondition(first.count == x.count, "An optimizer made for other parameters.")
      x.withUnsafeMutableBufferPointer { x in
        first.withUnsafeMutableBufferPointer { velocity in
          gradient.withUnsafeBufferPointer { g in
            apus_momentum_step(
              x.count, x.baseAddress, g.baseAddress, velocity.baseAddress, rate, momentum,
              weightDecay, nesterov ? 1 : 0)
          }
        }
      }
    case .adam(let beta1, let beta2, let epsilon, let weightDecay):
      adamStep(
        &x, gradient, rate, beta1: beta1, beta2: beta2, epsilon: epsilon, decay: weightDecay,
        shrink: 1)
    case .adamW(let beta1, let beta2, let epsilon, let weightDecay):
      adamStep(
        &x, gradient, rate, beta1: beta1, beta2: beta2, epsilon: epsilon, decay: 0,
        shrink: Float(1 - Double(rate) * Double(weightDecay)))
    }
  }

  private mutating func adamStep(
    _ x: inout ParameterVector, _ gradient: ParameterVector, _ rate: Float, beta1: Float,
    beta2: Float, epsilon: Float, decay: Float, shrink: Float
  ) {
    precondition(first.count == x.count, "An optimizer made for other parameters.")
    // By repeated products, because `pow` differs from one C library to the next.
    powers = (powers.0 * Double(beta1), powers.1 * Double(beta2))
    let correctedRate = Float(Double(rate) / (1 - powers.0))
    let correction = Float((1 - powers.1).squareRoot())
    x.withUnsafeMutableBufferPointer { x in
      first.withUnsafeMutableBufferPointer { m in
        second.withUnsafeMutableBufferPointer { v in
          gradient.withUnsafeBufferPointer { g in
            apus_adam_step(
              x.count, x.baseAddress, g.baseAddress, m.baseAddress, v.baseAddress, correctedRate,
              decay, shrink, 1 - beta1, beta2, 1 - beta2, correction, epsilon)
          }
        }
      }
    }
  }
}
