// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import CApus

extension Preparation {
  private func copying(
    _ x: Place, offset: Int = 0, _ y: Place, resultOffset: Int = 0, _ layout: StridedLayout,
    _ extent: Extent
  ) -> Instruction {
    { frame in
      layout.extents[0] = frame.rows(extent)
      apus_copy_strided(
        layout.rank, layout.extents, layout.strides(0), frame.pointer(x) + offset,
        layout.strides(1), frame.pointer(y) + resultOffset)
    }
  }

  mutating func transpose(_ permutation: [Int], _ step: Step) -> Instruction {
    let (input, result) = (signature(step.inputs[0]), signature(step.outputs[0]))
    let strides = StridedLayout.strides(of: input)
    let layout = StridedLayout(
      result.shape,
      strides: [
        [strides[0]] + permutation.map { strides[$0 + 1] }, StridedLayout.strides(of: result),
      ])
    return copying(place(step.inputs[0]), place(step.outputs[0]), layout, Extent(result))
  }

  mutating func slice(_ lower: [Int], _ step: Step) -> Instruction {
    let (input, result) = (signature(step.inputs[0]), signature(step.outputs[0]))
    let layout = StridedLayout(
      result.shape,
      strides: [StridedLayout.strides(of: input), StridedLayout.strides(of: result)])
    let offset = zip(lower, input.shape.strides).reduce(0) { $0 + $1.0 * $1.1 }
    return copying(
      place(step.inputs[0]), offset: offset, place(step.outputs[0]), layout, Extent(result))
  }

  mutating func padding(_ before: [Int], _ step: Step) -> Instruction {
    let (input, result) = (signature(step.inputs[0]), signature(step.outputs[0]))
    let layout = StridedLayout(
      input.shape,
      strides: [StridedLayout.strides(of: input), StridedLayout.strides(of: result)])
    let offset = zip(before, result.shape.strides).reduce(0) { $0 + $1.0 * $1.1 }
    let (y, extent) = (place(step.outputs[0]), Extent(result))
    let copy = copying(place(step.inputs[0]), y, resultOffset: offset, layout, extent)
    return { frame in
      apus_fill(frame.count(extent), 0, frame.pointer(y))
      copy(&frame)
    }
  }

  mutating func concatenation(_ axis: Int, _ step: Step) -> Instruction {
    let result = signature(step.outputs[0])
    let strides = StridedLayout.strides(of: result)
    var position = 0
    var copies: [Instruction] = []
    for input in step.inputs {
      let signature = signature(input)
      let layout = StridedLayout(
        signature.shape, strides: [StridedLayout.strides(of: signature), strides])
      copies.append(
        copying(
          place(input), place(step.outputs[0]), resultOffset: position * strides[axis + 1], layout,
          Extent(result)))
      position += signature.shape[axis]
    }
    return { frame in for copy in copies { copy(&frame) } }
  }

  mutating func sumToShape(_ step: Step) -> Instruction {
    let input = signature(step.inputs[0])
    let node = step.sink.map {
      Signature(shape: schedule.graph.parameters[$0.parameter].shape, isBatched: false)
    }
    let result = node ?? signature(step.outputs[0])
    let (x, extent, resultExtent) = (place(step.inputs[0]), Extent(input), Extent(result))
    let destination = destination(step)
    if input.repeatsRows(of: result) {
      let width = result.count
      return { frame in
        let (y, beta) = destination.resolved(in: frame)
        apus_column_sums(frame.count(extent) / width, width, 1, frame.pointer(x), beta, y)
      }
    }
    let layout = StridedLayout(
      input.shape,
      strides: [
        StridedLayout.strides(of: input), StridedLayout.broadcastStrides(result, to: input.shape),
      ])
    return { frame in
      let (y, _) = destination.resolved(in: frame)
      apus_fill(frame.count(resultExtent), 0, y)
      layout.extents[0] = frame.rows(extent)
      apus_add_strided(
        layout.rank, layout.extents, layout.strides(0), frame.pointer(x), layout.strides(1), y)
    }
  }

  /// A shape with axes to be reduced, as three: what is before them, they, what is behind.
  private func folded(_ shape: Shape, _ axes: [Int]) -> (outer: Int, axis: Int, inner: Int) {
    guard let first = axes.first, let last = axes.last else { return (1, 1, shape.count) }
    let extents = shape.dimensions
    return (
      extents[..<first].reduce(1, *), extents[first...last].reduce(1, *),
      extents[(last + 1)...].reduce(1, *)
    )
  }

  mutating func reduction(
    _ reduction: Reduction, _ axes: [Int], _ step: Step, _ scratch: Place
  ) -> Instruction {
    let (outer, axis, inner) = folded(signature(step.inputs[0]).shape, axes)
    let (x, y, extent) = (place(step.inputs[0]), place(step.outputs[0]), extent(step.outputs[0]))
    if reduction == .max {
      let places = step.outputs.count > 1 ? place(step.outputs[1]) : scratch
      return { frame in
        apus_max_axis(
          outer * frame.rows(extent), axis, inner, frame.pointer(x), frame.pointer(y),
          frame.indices(places))
      }
    }
    let scale = reduction == .mean ? 1 / Float(axis) : 1
    return { frame in
      apus_sum_axis(
        outer * frame.rows(extent), axis, inner, scale, frame.pointer(x), frame.pointer(y))
    }
  }

  mutating func reductionGradient(_ axes: [Int], _ scale: Float, _ step: Step) -> Instruction {
    let (outer, axis, inner) = folded(signature(step.outputs[0]).shape, axes)
    let (dy, dx, extent) = (place(step.inputs[0]), place(step.outputs[0]), extent(step.outputs[0]))
    return { frame in
      apus_broadcast_axis(
        outer * frame.rows(extent), axis, inner, scale, frame.pointer(dy), frame.pointer(dx))
    }
  }

  mutating func maxGradient(_ axes: [Int], _ step: Step) -> Instruction {
    let (outer, axis, inner) = folded(signature(step.outputs[0]).shape, axes)
    let (places, dy, dx) = (place(step.inputs[0]), place(step.inputs[1]), place(step.outputs[0]))
    let extent = extent(step.outputs[0])
    return { frame in
      apus_max_axis_gradient(
        outer * frame.rows(extent), axis, inner, frame.indices(places), frame.pointer(dy),
        frame.pointer(dx))
    }
  }

  mutating func gather(_ step: Step) -> Instruction {
    let table = signature(step.inputs[0])
    let (rows, width) = (table.rows, table.columns)
    let (numbers, indices, y) = (
      place(step.inputs[0]), place(step.inputs[1]), place(step.outputs[0])
    )
    let (extent, count) = (extent(step.outputs[0]), extent(step.inputs[1]))
    return { frame in
      let failed = apus_gather_rows(
        frame.count(count), width, rows, frame.pointer(numbers), frame.indices(indices),
        frame.pointer(y))
      // An index outside of the table: the batch has no loss.
      if failed >= 0 { apus_fill(frame.count(extent), .nan, frame.pointer(y)) }
    }
  }

  mutating func scatterAdd(_ step: Step) -> Instruction {
    let shape = step.sink.map { schedule.graph.parameters[$0.parameter].shape }
    let table = shape ?? signature(step.outputs[0]).shape
    let (indices, dy, count) = (
      place(step.inputs[0]), place(step.inputs[1]), extent(step.inputs[0])
    )
    let destination = destination(step)
    return { frame in
      let (y, beta) = destination.resolved(in: frame)
      if beta == 0 { apus_fill(table.count, 0, y) }
      _ = apus_scatter_add_rows(
        frame.count(count), table[1], table[0], 1, frame.indices(indices), frame.pointer(dy), y)
    }
  }
}
