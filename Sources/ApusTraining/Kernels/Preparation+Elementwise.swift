// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import CApus

extension UnaryFunction {
  /// What the kernels call it, and its slope, where it is an activation.
  var activation: (kernel: apus_activation, slope: Float)? {
    switch self {
    case .relu: (.relu, 0)
    case .leakyRelu(let slope): (.leaky_relu, slope)
    case .sigmoid: (.sigmoid, 0)
    case .tanh: (.tanh, 0)
    case .gelu: (.gelu, 0)
    case .geluTanh: (.gelu_tanh, 0)
    case .silu: (.silu, 0)
    case .negate, .exp, .log, .sqrt, .power: nil
    }
  }
}

extension Preparation {
  typealias UnaryKernel = (Int, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?) -> Void

  mutating func unary(_ function: UnaryFunction, _ step: Step) -> Instruction {
    let (x, y, extent) = (place(step.inputs[0]), place(step.outputs[0]), extent(step.outputs[0]))
    if let (kernel, slope) = function.activation {
      return { frame in
        apus_activate(kernel, slope, frame.count(extent), frame.pointer(x), frame.pointer(y))
      }
    }
    switch function {
    case .negate:
      return { apus_negate($0.count(extent), $0.pointer(x), $0.pointer(y)) }
    case .exp: return { apus_exp($0.count(extent), $0.pointer(x), $0.pointer(y)) }
    case .log: return { apus_log($0.count(extent), $0.pointer(x), $0.pointer(y)) }
    case .sqrt: return { apus_sqrt($0.count(extent), $0.pointer(x), $0.pointer(y)) }
    case .power(let exponent):
      return { apus_power($0.count(extent), exponent, $0.pointer(x), $0.pointer(y)) }
    case .relu, .leakyRelu, .sigmoid, .tanh, .gelu, .geluTanh, .silu: return { _ in }
    }
  }

  mutating func unaryGradient(_ function: UnaryFunction, _ step: Step) -> Instruction {
    let (known, dy) = (place(step.inputs[0]), place(step.inputs[1]))
    let (dx, extent) = (place(step.outputs[0]), extent(step.outputs[0]))
    if let (kernel, slope) = function.activation {
      return { frame in
        apus_activation_gradient(
          kernel, slope, frame.count(extent), frame.pointer(known), frame.pointer(dy),
          frame.pointer(dx))
      }
    }
    if case .power(let exponent) = function {
      return { frame in
        apus_power_gradient(
          frame.count(extent), exponent, frame.pointer(known), frame.pointer(dy),
          frame.pointer(dx))
      }
    }
    // The other functions' derivatives are written with other operations.
    return { frame in
      apus_sqrt_gradient(
        frame.count(extent), frame.pointer(known), frame.pointer(dy), frame.pointer(dx))
    }
  }

  mutating func biasActivation(_ function: UnaryFunction, _ step: Step) -> Instruction {
    let (kernel, slope) = function.activation ?? (.identity, 0)
    let (x, bias, y) = (place(step.inputs[0]), place(step.inputs[1]), place(step.outputs[0]))
    let (extent, width) = (extent(step.outputs[0]), signature(step.inputs[1]).count)
    return { frame in
      apus_bias_activate(
        kernel, slope, frame.count(extent) / width, width, frame.pointer(bias), frame.pointer(x),
        frame.pointer(y))
    }
  }

  mutating func binary(_ function: BinaryFunction, _ step: Step) -> Instruction {
    let signatures = step.inputs.map { signature($0) }
    let result = signature(step.outputs[0])
    let extent = Extent(result)
    let y = place(step.outputs[0])
    for (number, other) in [(1, 0), (0, 1)] where signatures[other] == result {
      guard let number = constant(step.inputs[number]) else { continue }
      let kernel = BinaryKernel.kernelOperator(function, isSwapped: other == 1)
      let x = place(step.inputs[other])
      return { frame in
        apus_binary_scalar(
          kernel, frame.count(extent), frame.pointer(x), number, frame.pointer(y))
      }
    }
    let (a, b) = (place(step.inputs[0]), place(step.inputs[1]))
    switch BinaryKernel.Layout(signatures, result) {
    case .flat:
      let kernel = BinaryKernel.kernelOperator(function, isSwapped: false)
      return { frame in
        apus_binary(
          kernel, frame.count(extent), frame.pointer(a), frame.pointer(b), frame.pointer(y))
      }
    case .rows(let full, let count):
      let kernel = BinaryKernel.kernelOperator(function, isSwapped: full == 1)
      let (large, small) = full == 0 ? (a, b) : (b, a)
      return { frame in
        apus_binary_row(
          kernel, frame.count(extent) / count, count, frame.pointer(large), frame.pointer(small),
          frame.pointer(y))
      }
    case .columns(let full, let count):
      let kernel = BinaryKernel.kernelOperator(function, isSwapped: full == 1)
      let (large, small) = full == 0 ? (a, b) : (b, a)
      return { frame in
        apus_binary_column(
          kernel, frame.count(extent) / count, count, frame.pointer(large), frame.pointer(small),
          frame.pointer(y))
      }
    case .strided:
      let kernel = BinaryKernel.kernelOperator(function, isSwapped: false)
      let layout = StridedLayout(
        result.shape,
        strides: signatures.map { StridedLayout.broadcastStrides($0, to: result.shape) })
      return { frame in
        layout.extents[0] = frame.rows(extent)
        apus_binary_strided(
          kernel, layout.rank, layout.extents, layout.strides(0), frame.pointer(a),
          layout.strides(1), frame.pointer(b), frame.pointer(y))
      }
    }
  }

  typealias RowsKernel =
    @convention(c) (
      Int, Int, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?
    ) -> Void
  typealias RowsGradientKernel =
    @convention(c) (
      Int, Int, UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?
    ) -> Void

  mutating func softmax(_ step: Step, _ kernel: @escaping RowsKernel) -> Instruction {
    let (x, y) = (place(step.inputs[0]), place(step.outputs[0]))
    let (extent, width) = (extent(step.outputs[0]), signature(step.outputs[0]).columns)
    return { kernel($0.count(extent) / width, width, $0.pointer(x), $0.pointer(y)) }
  }

  mutating func softmaxGradient(
    _ step: Step, _ kernel: @escaping RowsGradientKernel
  ) -> Instruction {
    let (y, dy, dx) = (place(step.inputs[0]), place(step.inputs[1]), place(step.outputs[0]))
    let (extent, width) = (extent(step.outputs[0]), signature(step.outputs[0]).columns)
    return {
      kernel(
        $0.count(extent) / width, width, $0.pointer(y), $0.pointer(dy), $0.pointer(dx))
    }
  }

  mutating func dropout(_ rate: Float, _ ordinal: Int, _ step: Step) -> Instruction {
    let (x, y, extent) = (place(step.inputs[0]), place(step.outputs[0]), extent(step.outputs[0]))
    let threshold = UInt64(Double(rate) * 0x1p32)
    let scale = 1 / (1 - rate)
    return { frame in
      let random = frame.random.split(ordinal)
      // Each example has a stream of its own, so that it does not matter how a batch is divided.
      for row in 0..<frame.rows(extent) {
        let stream = random.split(extent.isBatched ? frame.firstRow + row : -1)
        let start = row * extent.count
        apus_dropout(
          extent.count, stream.key, stream.nonce, threshold, scale, frame.pointer(x) + start,
          frame.pointer(y) + start)
      }
    }
  }
}
