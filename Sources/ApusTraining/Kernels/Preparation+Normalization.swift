// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import CApus

extension Preparation {
  /// Where mean and reciprocal deviation go: to values that the derivative reads, or nowhere in particular.
  private mutating func statistics(
    _ step: Step, _ scratch: Place, count: Int
  ) -> (mean: Place, reciprocal: Place) {
    if step.outputs.count == 3 { return (place(step.outputs[1]), place(step.outputs[2])) }
    return (scratch, Place(base: scratch.base, offset: scratch.offset + count))
  }

  mutating func layerNormalization(
    _ axes: Int, _ epsilon: Float, _ step: Step, _ scratch: Place
  ) -> Instruction {
    let result = signature(step.outputs[0])
    let width = result.shape.dimensions.suffix(axes).reduce(1, *)
    let (x, y, extent) = (place(step.inputs[0]), place(step.outputs[0]), Extent(result))
    let (mean, reciprocal) = statistics(
      step, scratch, count: schedule.wordCount(of: step.outputs[0]) / width)
    return { frame in
      apus_layer_norm(
        frame.count(extent) / width, width, epsilon, frame.pointer(x), nil, nil, frame.pointer(y),
        frame.pointer(mean), frame.pointer(reciprocal))
    }
  }

  mutating func layerNormalizationGradient(_ axes: Int, _ step: Step) -> Instruction {
    let result = signature(step.outputs[0])
    let width = result.shape.dimensions.suffix(axes).reduce(1, *)
    let places = step.inputs.map { place($0) }
    let (dx, extent) = (place(step.outputs[0]), Extent(result))
    let (x, mean, reciprocal, dy) = (places[0], places[1], places[2], places[3])
    return { frame in
      apus_layer_norm_gradient(
        frame.count(extent) / width, width, frame.pointer(x), nil, frame.pointer(mean),
        frame.pointer(reciprocal), frame.pointer(dy), frame.pointer(dx))
    }
  }

  mutating func groupNormalization(
    _ groups: Int, _ epsilon: Float, _ step: Step, _ scratch: Place
  ) -> Instruction {
    let result = signature(step.outputs[0])
    let channels = result.columns
    let spatial = result.count / channels
    let (x, y, extent) = (place(step.inputs[0]), place(step.outputs[0]), Extent(result))
    let (mean, reciprocal) = statistics(
      step, scratch, count: schedule.wordCount(of: step.outputs[0]) / result.count * groups)
    return { frame in
      apus_group_norm(
        frame.rows(extent), spatial, channels, groups, epsilon, frame.pointer(x), nil, nil,
        frame.pointer(y), frame.pointer(mean), frame.pointer(reciprocal))
    }
  }

  mutating func groupNormalizationGradient(_ groups: Int, _ step: Step) -> Instruction {
    let result = signature(step.outputs[0])
    let channels = result.columns
    let spatial = result.count / channels
    let places = step.inputs.map { place($0) }
    let (dx, extent) = (place(step.outputs[0]), Extent(result))
    let (x, mean, reciprocal, dy) = (places[0], places[1], places[2], places[3])
    return { frame in
      apus_group_norm_gradient(
        frame.rows(extent), spatial, channels, groups, frame.pointer(x), nil, frame.pointer(mean),
        frame.pointer(reciprocal), frame.pointer(dy), frame.pointer(dx))
    }
  }
}
