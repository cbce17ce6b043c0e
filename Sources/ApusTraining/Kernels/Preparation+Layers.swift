// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import CApus

extension Operation {
  /// Words for what a kernel also computes and nobody asked for.
  func statisticsCount(_ result: Signature, capacity: Int) -> Int {
    let examples = result.isBatched ? capacity : 1
    return switch self {
    case .reduction(.max, _), .maxPool: result.count * examples
    case .layerNormalization(let axes, _):
      2 * examples * result.shape.dimensions.dropLast(axes).reduce(1, *)
    case .groupNormalization(let groups, _): 2 * examples * groups
    default: 0
    }
  }
}

extension Preparation {
  /// What a fused step does with a product once it is there; the bias is the input behind the operands.
  private mutating func epilogue(of step: Step) -> (inout Frame) -> MatrixProduct.Epilogue {
    guard case .fused(_, let rectifies) = step.action else { return { _ in .init() } }
    let bias = place(step.inputs[2])
    return { .init(bias: UnsafePointer($0.pointer(bias)), rectifies: rectifies) }
  }

  mutating func product(_ left: Bool, _ right: Bool, _ step: Step) -> Instruction {
    let kernel = ProductKernel(
      signature(step.inputs[0]), transposingLeft: left, signature(step.inputs[1]),
      transposingRight: right, result: signature(step.outputs[0]))
    let (a, b, c) = (place(step.inputs[0]), place(step.inputs[1]), place(step.outputs[0]))
    let epilogue = epilogue(of: step)
    return { frame in
      kernel.run(
        frame, frame.pointer(a), frame.pointer(b), epilogue(&frame), into: frame.pointer(c))
    }
  }

  mutating func rowsProduct(_ step: Step) -> Instruction {
    let (a, b) = (place(step.inputs[0]), place(step.inputs[1]))
    let (m, n) = (signature(step.inputs[0]).columns, signature(step.inputs[1]).columns)
    let extent = extent(step.inputs[0])
    let destination = destination(step)
    return { frame in
      let (c, beta) = destination.resolved(in: frame)
      ProductKernel.rowsProduct(
        rows: frame.count(extent) / m, m: m, n: n, frame.pointer(a), frame.pointer(b),
        beta: beta, into: c)
    }
  }

  mutating func convolution(
    _ window: Window, _ groups: Int, _ step: Step, _ scratch: Place
  ) -> Instruction {
    let kernel = ConvolutionKernel(
      window, groups: groups, image: signature(step.inputs[0]).shape,
      output: signature(step.outputs[0]).shape)
    let (x, w, y) = (place(step.inputs[0]), place(step.inputs[1]), place(step.outputs[0]))
    let epilogue = epilogue(of: step)
    return { frame in
      kernel.run(
        rows: frame.rowCount, images: frame.pointer(x), filters: frame.pointer(w),
        epilogue(&frame), scratch: frame.pointer(scratch), into: frame.pointer(y))
    }
  }

  mutating func convolutionInputGradient(
    _ window: Window, _ groups: Int, _ step: Step, _ scratch: Place
  ) -> Instruction {
    let kernel = ConvolutionKernel(
      window, groups: groups, image: signature(step.outputs[0]).shape,
      output: signature(step.inputs[1]).shape)
    let (w, dy, dx) = (place(step.inputs[0]), place(step.inputs[1]), place(step.outputs[0]))
    return { frame in
      kernel.runInputGradient(
        rows: frame.rowCount, filters: frame.pointer(w), gradient: frame.pointer(dy),
        scratch: frame.pointer(scratch), into: frame.pointer(dx))
    }
  }

  mutating func convolutionFilterGradient(
    _ window: Window, _ groups: Int, _ step: Step, _ scratch: Place
  ) -> Instruction {
    let kernel = ConvolutionKernel(
      window, groups: groups, image: signature(step.inputs[0]).shape,
      output: signature(step.inputs[1]).shape)
    let (x, dy) = (place(step.inputs[0]), place(step.inputs[1]))
    let destination = destination(step)
    return { frame in
      let (dw, beta) = destination.resolved(in: frame)
      kernel.runFilterGradient(
        rows: frame.rowCount, images: frame.pointer(x), gradient: frame.pointer(dy),
        scratch: frame.pointer(scratch), beta: beta, into: dw)
    }
  }

  mutating func maxPool(
    _ window: Window, rectifying: Bool, _ step: Step, _ scratch: Place
  ) -> Instruction {
    let (input, output) = (signature(step.inputs[0]), signature(step.outputs[0]))
    let kernelWindow = apus_window(window, image: input.shape, output: output.shape)
    let (x, y, extent) = (place(step.inputs[0]), place(step.outputs[0]), Extent(output))
    let places = step.outputs.count > 1 ? place(step.outputs[1]) : scratch
    let rectify: Int32 = rectifying ? 1 : 0
    return { frame in
      withUnsafePointer(to: kernelWindow) {
        apus_max_pool(
          frame.rows(extent), $0, rectify, frame.pointer(x), frame.pointer(y),
          frame.indices(places))
      }
    }
  }

  mutating func maxPoolGradient(_ window: Window, _ step: Step) -> Instruction {
    let (image, output) = (signature(step.outputs[0]), signature(step.inputs[1]))
    let kernelWindow = apus_window(window, image: image.shape, output: output.shape)
    let (places, dy, dx) = (place(step.inputs[0]), place(step.inputs[1]), place(step.outputs[0]))
    let extent = Extent(image)
    // The outputs of the pooling, behind the operands of its gradient.
    let rectified = step.inputs.count > 2 ? place(step.inputs[2]) : nil
    return { frame in
      withUnsafePointer(to: kernelWindow) {
        apus_max_pool_gradient(
          frame.rows(extent), $0, frame.indices(places), rectified.map { frame.pointer($0) },
          frame.pointer(dy), frame.pointer(dx))
      }
    }
  }

  mutating func averagePool(_ window: Window, _ step: Step) -> Instruction {
    let (input, output) = (signature(step.inputs[0]), signature(step.outputs[0]))
    let kernelWindow = apus_window(window, image: input.shape, output: output.shape)
    let (x, y, extent) = (place(step.inputs[0]), place(step.outputs[0]), Extent(output))
    return { frame in
      withUnsafePointer(to: kernelWindow) {
        apus_average_pool(frame.rows(extent), $0, 1, frame.pointer(x), frame.pointer(y))
      }
    }
  }

  mutating func averagePoolGradient(_ window: Window, _ step: Step) -> Instruction {
    let (image, output) = (signature(step.outputs[0]), signature(step.inputs[0]))
    let kernelWindow = apus_window(window, image: image.shape, output: output.shape)
    let (dy, dx, extent) = (place(step.inputs[0]), place(step.outputs[0]), Extent(image))
    return { frame in
      withUnsafePointer(to: kernelWindow) {
        apus_average_pool_gradient(frame.rows(extent), $0, 1, frame.pointer(dy), frame.pointer(dx))
      }
    }
  }
}
