// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// One call of a kernel: which values go in and out.
struct Step {
  enum Action: Hashable {
    case compute(Computation)
    /// f(x + bias), in one pass.
    case biasActivation(UnaryFunction)
    /// A product or a convolution to whose rows the last input is added, and which is then rectified or not.
    case fused(Operation, rectifying: Bool)
    /// relu of the largest of each window.
    case rectifiedMaxPool(Window)
    /// The gradient of ``rectifiedMaxPool(_:)``, of the places, the gradient of the output, and the output.
    case rectifiedMaxPoolGradient(Window)
    /// Adds the input, a gradient, to where the parameter's gradient goes.
    case sink
    /// There is no gradient: what is stored is kept or zeroed.
    case keep
  }

  var action: Action
  /// Values read.
  var inputs: [Int]
  /// Values written, the result and then its auxiliaries; empty where the result is a sink.
  var outputs: [Int]
  /// Where the result goes when it is a parameter's gradient.
  var sink: Sink?
  /// Words needed during the step only.
  var scratchCount = 0

  struct Sink: Hashable {
    let parameter: Int
    /// Whether nothing has been added there before in this run.
    var isFirst: Bool
  }
}

/// What a value is kept in.
enum Home: Hashable {
  /// One of the buffers that are planned.
  case buffer(Int)
  /// At this offset of the vector of parameters.
  case parameter(Int)
  /// At this offset of the vector of frozen parameters.
  case frozen(Int)
  /// A number that is known in advance.
  case constant(Float)
}
