// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// What a step is called in a profile, and how much arithmetic it is.
struct StepLabel {
  let title: String
  /// Multiplications and additions for each example; 0 where memory and not arithmetic takes the time.
  let operationsPerExample: Double
}

extension Schedule {
  /// A label for each step.
  var labels: [StepLabel] { steps.map(label) }

  private func label(_ step: Step) -> StepLabel {
    let operations = operationsPerExample(step)
    // The parameter that the step reads or makes the gradient of names the layer.
    let read = step.inputs.lazy.compactMap { parameterName(of: $0) }.first
    let made = step.sink.map { graph.parameters[$0.parameter].name }
    let what =
      switch step.action {
      case .biasActivation(let function): "bias and \(Self.word(function))"
      case .fused(let operation, let rectifies):
        "\(Self.word(operation)), bias\(rectifies ? " and relu" : "")"
      case .rectifiedMaxPool: "relu and maxPool"
      case .rectifiedMaxPoolGradient: "maxPool and relu gradient"
      case .sink: "gradient added"
      case .keep: "no gradient"
      case .compute(let computation): Self.word(computation)
      }
    let name = made ?? read
    return StepLabel(
      title: name.map { "\($0): \(what)" } ?? what, operationsPerExample: operations)
  }

  private func parameterName(of node: Int) -> String? {
    guard case .operation(.parameter(let parameter)) = graph.nodes[node].computation else {
      return nil
    }
    return graph.parameters[parameter].name
  }

  /// The case's name is the operation's name; what it holds is of no interest here.
  private static func word(_ value: Any) -> String {
    let text = "\(value)"
    var head = text.prefix { $0 != "(" }
    if head == "operation" {
      head = text.dropFirst("operation(".count).prefix { $0 != "(" && $0 != ")" }
    }
    return String(head.split(separator: ".").last ?? head)
  }

  private func operationsPerExample(_ step: Step) -> Double {
    let computation: Computation
    switch step.action {
    case .compute(let it): computation = it
    case .fused(let operation, _): computation = .operation(operation)
    default: return 0
    }
    func count(_ node: Int) -> Double { Double(signature(of: node).count) }
    func taps(_ window: Window, _ images: Int, _ groups: Int) -> Double {
      let channels = Double(signature(of: images).shape[-1] / groups)
      return Double(window.size.height * window.size.width) * channels
    }
    switch computation {
    case .operation(.product(let isTransposed, _)):
      let left = signature(of: step.inputs[0])
      return 2 * count(step.outputs[0]) * Double(isTransposed ? left.rows : left.columns)
    case .rowsProduct:
      return 2 * count(step.inputs[0]) * Double(signature(of: step.inputs[1]).columns)
    case .operation(.convolution(let window, let groups)):
      return 2 * count(step.outputs[0]) * taps(window, step.inputs[0], groups)
    case .convolutionFilterGradient(let window, let groups):
      return 2 * count(step.inputs[1]) * taps(window, step.inputs[0], groups)
    case .convolutionInputGradient(let window, let groups):
      return 2 * count(step.inputs[1]) * taps(window, step.outputs[0], groups)
    default:
      return 0
    }
  }
}
