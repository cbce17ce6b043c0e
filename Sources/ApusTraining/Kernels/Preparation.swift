// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import CApus

/// Turns the steps of a schedule into instructions: kernels with the places of their operands.
struct Preparation {
  let schedule: Schedule
  let plan: MemoryPlan
  private let parameterOffsets: [Int]
  /// Numbers to be stored behind the planned memory, one to a cache line.
  private(set) var constants: [Float] = []

  init(_ schedule: Schedule, plan: MemoryPlan) {
    self.schedule = schedule
    self.plan = plan
    var end = 0
    parameterOffsets = schedule.graph.parameters.map { parameter in
      defer { end += parameter.isFrozen ? 0 : parameter.shape.count }
      return end
    }
  }

  mutating func instructions() -> [Instruction] {
    var instructions: [Instruction] = []
    for (index, step) in schedule.steps.enumerated() {
      instructions.append(instruction(for: step, scratch: scratchPlace(of: index)))
    }
    return instructions
  }

  private func scratchPlace(of step: Int) -> Place {
    Place(
      base: .arena, offset: schedule.scratchBuffers[step].map { plan.buffers[$0].offset } ?? 0)
  }

  func signature(_ node: Int) -> Signature { schedule.signature(of: node) }
  func extent(_ node: Int) -> Extent { Extent(signature(node)) }

  /// The number that a value is, where it is known in advance.
  func constant(_ node: Int) -> Float? {
    if case .constant(let value)? = schedule.homes[node] { value } else { nil }
  }

  mutating func place(_ node: Int) -> Place {
    switch schedule.homes[node] {
    case .buffer(let buffer): return Place(base: .arena, offset: plan.buffers[buffer].offset)
    case .parameter(let offset): return Place(base: .parameters, offset: offset)
    case .frozen(let offset): return Place(base: .frozen, offset: offset)
    case .constant(let value):
      constants.append(value)
      return Place(
        base: .arena,
        offset: plan.wordCount + (constants.count - 1) * MemoryPlan.alignment)
    case nil: preconditionFailure("A value that is read has been computed.")
    }
  }

  mutating func destination(_ step: Step) -> Destination {
    if let sink = step.sink {
      return .sink(offset: parameterOffsets[sink.parameter], isFirst: sink.isFirst)
    }
    return .value(place(step.outputs[0]))
  }

  private mutating func instruction(for step: Step, scratch: Place) -> Instruction {
    switch step.action {
    case .biasActivation(let function): return biasActivation(function, step)
    case .fused(let operation, _): return instruction(for: operation, step, scratch)
    case .rectifiedMaxPool(let window):
      return maxPool(window, rectifying: true, step, scratch)
    case .rectifiedMaxPoolGradient(let window): return maxPoolGradient(window, step)
    case .sink:
      let (piece, extent) = (place(step.inputs[0]), extent(step.inputs[0]))
      let destination = destination(step)
      return { frame in
        let (sink, beta) = destination.resolved(in: frame)
        apus_sink(frame.count(extent), 1, frame.pointer(piece), beta, sink)
      }
    case .keep:
      let destination = destination(step)
      let count = step.sink.map { schedule.graph.parameters[$0.parameter].shape.count } ?? 0
      return { frame in
        let (sink, beta) = destination.resolved(in: frame)
        if beta == 0 { apus_fill(count, 0, sink) }
      }
    case .compute(let computation):
      switch computation {
      case .operation(let operation): return instruction(for: operation, step, scratch)
      case .loss(let loss): return lossInstruction(loss, step, differentiating: false)
      case .lossGradient(let loss): return lossInstruction(loss, step, differentiating: true)
      case .target, .auxiliary: return { _ in }
      case .unaryGradient(let function): return unaryGradient(function, step)
      case .softmaxGradient: return softmaxGradient(step, apus_softmax_gradient)
      case .logSoftmaxGradient: return softmaxGradient(step, apus_log_softmax_gradient)
      case .sumToShape: return sumToShape(step)
      case .reductionGradient(let axes, let scale): return reductionGradient(axes, scale, step)
      case .maxGradient(let axes): return maxGradient(axes, step)
      case .rowsProduct: return rowsProduct(step)
      case .convolutionInputGradient(let window, let groups):
        return convolutionInputGradient(window, groups, step, scratch)
      case .convolutionFilterGradient(let window, let groups):
        return convolutionFilterGradient(window, groups, step, scratch)
      case .maxPoolGradient(let window): return maxPoolGradient(window, step)
      case .averagePoolGradient(let window): return averagePoolGradient(window, step)
      case .scatterAdd: return scatterAdd(step)
      case .layerNormalizationGradient(let axes): return layerNormalizationGradient(axes, step)
      case .groupNormalizationGradient(let groups): return groupNormalizationGradient(groups, step)
      }
    }
  }

  private mutating func instruction(
    for operation: Operation, _ step: Step, _ scratch: Place
  ) -> Instruction {
    switch operation {
    case .input, .parameter, .constant, .reshape: return { _ in }
    case .unary(let function): return unary(function, step)
    case .binary(let function): return binary(function, step)
    case .product(let left, let right): return product(left, right, step)
    case .softmax: return softmax(step, apus_softmax)
    case .logSoftmax: return softmax(step, apus_log_softmax)
    case .reduction(let reduction, let axes): return self.reduction(reduction, axes, step, scratch)
    case .transpose(let permutation): return transpose(permutation, step)
    case .slice(let lower, _): return slice(lower, step)
    case .concatenation(let axis): return concatenation(axis, step)
    case .padding(let before, _): return padding(before, step)
    case .gather: return gather(step)
    case .convolution(let window, let groups): return convolution(window, groups, step, scratch)
    case .maxPool(let window): return maxPool(window, rectifying: false, step, scratch)
    case .averagePool(let window): return averagePool(window, step)
    case .layerNormalization(let axes, let epsilon):
      return layerNormalization(axes, epsilon, step, scratch)
    case .groupNormalization(let groups, let epsilon):
      return groupNormalization(groups, epsilon, step, scratch)
    case .dropout(let rate, let ordinal): return dropout(rate, ordinal, step)
    }
  }
}
