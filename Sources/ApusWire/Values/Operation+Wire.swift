// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusTraining

extension Operation {
  /// Reads an operation; whether it fits its inputs is the graph's business.
  init(_ proto: Proto.Operation) throws(WireError) {
    switch proto.kind {
    case .input: self = .input
    case .parameter(let index): self = .parameter(Int(index))
    case .constant(let value): self = .constant(value)
    case .unary(let unary): self = .unary(try UnaryFunction(unary))
    case .binary(let binary): self = .binary(try BinaryFunction(binary.function))
    case .product(let product):
      self = .product(
        transposingLeft: product.transposingLeft, transposingRight: product.transposingRight)
    case .softmax: self = .softmax
    case .logSoftmax: self = .logSoftmax
    case .reduction(let reduction):
      self = .reduction(
        try Reduction(reduction.function), axes: try WireRange.extents(reduction.axes))
    case .reshape(let shape): self = .reshape(try Shape(shape))
    case .transpose(let axes): self = .transpose(try WireRange.extents(axes.axes))
    case .slice(let slice):
      self = .slice(
        lower: try WireRange.extents(slice.lower), upper: try WireRange.extents(slice.upper))
    case .concatenation(let axis): self = .concatenation(axis: try WireRange.extent(axis))
    case .padding(let amounts):
      self = .padding(
        before: try WireRange.extents(amounts.before), after: try WireRange.extents(amounts.after))
    case .gather: self = .gather
    case .convolution(let convolution):
      self = .convolution(
        try Window(convolution.window), groups: try WireRange.count(convolution.groups, "groups"))
    case .maxPool(let window): self = .maxPool(try Window(window))
    case .averagePool(let window): self = .averagePool(try Window(window))
    case .layerNormalization(let normalization):
      self = .layerNormalization(
        axes: try WireRange.count(normalization.count, "axes"), epsilon: normalization.epsilon)
    case .groupNormalization(let normalization):
      self = .groupNormalization(
        groups: try WireRange.count(normalization.count, "groups"), epsilon: normalization.epsilon)
    case .dropout(let dropout):
      self = .dropout(rate: dropout.rate, ordinal: try WireRange.extent(dropout.ordinal))
    case nil:
      throw WireError(.unsupported, "an operation is missing, or of a kind that is not known here")
    }
  }
}

extension UnaryFunction {
  fileprivate init(_ proto: Proto.Unary) throws(WireError) {
    guard proto.argument.isFinite else {
      throw WireError(.invalidValue, "a function's argument is not finite")
    }
    switch proto.function {
    case .negate: self = .negate
    case .exp: self = .exp
    case .log: self = .log
    case .sqrt: self = .sqrt
    case .power: self = .power(proto.argument)
    case .relu: self = .relu
    case .leakyRelu: self = .leakyRelu(slope: proto.argument)
    case .sigmoid: self = .sigmoid
    case .tanh: self = .tanh
    case .gelu: self = .gelu
    case .geluTanh: self = .geluTanh
    case .silu: self = .silu
    default: throw WireError(.unsupported, "a function of one number is not known here")
    }
  }
}

extension BinaryFunction {
  fileprivate init(_ function: Proto.Binary.Function) throws(WireError) {
    switch function {
    case .add: self = .add
    case .subtract: self = .subtract
    case .multiply: self = .multiply
    case .divide: self = .divide
    default: throw WireError(.unsupported, "a function of two numbers is not known here")
    }
  }
}

extension Reduction {
  fileprivate init(_ function: Proto.Reduction.Function) throws(WireError) {
    switch function {
    case .sum: self = .sum
    case .mean: self = .mean
    case .max: self = .max
    default: throw WireError(.unsupported, "a reduction is not known here")
    }
  }
}

extension Window {
  fileprivate init(_ proto: Proto.Window?) throws(WireError) {
    guard let proto else { throw .missing("its window", of: "a convolution") }
    func extent(_ extent: Proto.Extent?) throws(WireError) -> Extent {
      guard let extent else { return Extent(0, 0) }
      return Extent(try WireRange.extent(extent.height), try WireRange.extent(extent.width))
    }
    self.init(
      size: try extent(proto.size), stride: try extent(proto.stride),
      paddingBefore: try extent(proto.paddingBefore), paddingAfter: try extent(proto.paddingAfter))
  }
}

extension Proto.Operation {
  init(_ operation: Operation) {
    self.init()
    kind =
      switch operation {
      case .input: .input(Proto.Empty())
      case .parameter(let index): .parameter(UInt32(clamping: index))
      case .constant(let value): .constant(value)
      case .unary(let function): .unary(Proto.Unary(function))
      case .binary(let function):
        .binary(Proto.Binary { $0.function = Proto.Binary.Function(function) })
      case .product(let left, let right):
        .product(
          Proto.Product {
            $0.transposingLeft = left
            $0.transposingRight = right
          })
      case .softmax: .softmax(Proto.Empty())
      case .logSoftmax: .logSoftmax(Proto.Empty())
      case .reduction(let reduction, let axes):
        .reduction(
          Proto.Reduction {
            $0.function = Proto.Reduction.Function(reduction)
            $0.axes = axes.map { UInt32(clamping: $0) }
          })
      case .reshape(let shape): .reshape(Proto.Shape(shape))
      case .transpose(let axes):
        .transpose(Proto.Axes { $0.axes = axes.map { UInt32(clamping: $0) } })
      case .slice(let lower, let upper):
        .slice(
          Proto.Slice {
            $0.lower = lower.map { UInt64(clamping: $0) }
            $0.upper = upper.map { UInt64(clamping: $0) }
          })
      case .concatenation(let axis): .concatenation(UInt32(clamping: axis))
      case .padding(let before, let after):
        .padding(
          Proto.PaddingAmounts {
            $0.before = before.map { UInt64(clamping: $0) }
            $0.after = after.map { UInt64(clamping: $0) }
          })
      case .gather: .gather(Proto.Empty())
      case .convolution(let window, let groups):
        .convolution(
          Proto.Convolution {
            $0.window = Proto.Window(window)
            $0.groups = UInt32(clamping: groups)
          })
      case .maxPool(let window): .maxPool(Proto.Window(window))
      case .averagePool(let window): .averagePool(Proto.Window(window))
      case .layerNormalization(let axes, let epsilon):
        .layerNormalization(Proto.Normalization(axes, epsilon))
      case .groupNormalization(let groups, let epsilon):
        .groupNormalization(Proto.Normalization(groups, epsilon))
      case .dropout(let rate, let ordinal):
        .dropout(
          Proto.Dropout {
            $0.rate = rate
            $0.ordinal = UInt32(clamping: ordinal)
          })
      }
  }
}

extension Proto.Normalization {
  fileprivate init(_ count: Int, _ epsilon: Float) {
    self.init()
    self.count = UInt32(clamping: count)
    self.epsilon = epsilon
  }
}

extension Proto.Unary {
  fileprivate init(_ unary: UnaryFunction) {
    self.init()
    (function, argument) =
      switch unary {
      case .negate: (.negate, 0)
      case .exp: (.exp, 0)
      case .log: (.log, 0)
      case .sqrt: (.sqrt, 0)
      case .power(let exponent): (.power, exponent)
      case .relu: (.relu, 0)
      case .leakyRelu(let slope): (.leakyRelu, slope)
      case .sigmoid: (.sigmoid, 0)
      case .tanh: (.tanh, 0)
      case .gelu: (.gelu, 0)
      case .geluTanh: (.geluTanh, 0)
      case .silu: (.silu, 0)
      }
  }
}

extension Proto.Binary.Function {
  fileprivate init(_ function: BinaryFunction) {
    self =
      switch function {
      case .add: .add
      case .subtract: .subtract
      case .multiply: .multiply
      case .divide: .divide
      }
  }
}

extension Proto.Reduction.Function {
  fileprivate init(_ reduction: Reduction) {
    self =
      switch reduction {
      case .sum: .sum
      case .mean: .mean
      case .max: .max
      }
  }
}

extension Proto.Window {
  fileprivate init(_ window: Window) {
    self.init()
    size = Proto.Extent(window.size)
    stride = Proto.Extent(window.stride)
    paddingBefore = Proto.Extent(window.paddingBefore)
    paddingAfter = Proto.Extent(window.paddingAfter)
  }
}

extension Proto.Extent {
  fileprivate init(_ extent: Window.Extent) {
    self.init()
    height = UInt32(clamping: extent.height)
    width = UInt32(clamping: extent.width)
  }
}
