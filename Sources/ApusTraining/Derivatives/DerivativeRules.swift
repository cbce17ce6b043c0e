// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

// The table of derivatives: one short entry for each operation. y = f(x…), dy is the gradient by y; an
// entry adds the gradient by each x that needs one.

extension Differentiator {
  mutating func applyRule(
    for operation: Operation, at y: Int, inputs: [Int], _ dy: Int
  ) throws(TrainingError) {
    switch operation {
    case .input, .parameter, .constant: break
    case .unary(let function): try differentiateUnary(function, inputs[0], y, dy)
    case .binary(let function): try differentiateBinary(function, inputs[0], inputs[1], y, dy)
    case .product(let left, let right):
      try differentiateProduct(inputs[0], left, inputs[1], right, dy)
    case .softmax:
      accumulate(emit(.softmaxGradient, [y, dy], signature(of: dy)), into: inputs[0])
    case .logSoftmax:
      accumulate(emit(.logSoftmaxGradient, [y, dy], signature(of: dy)), into: inputs[0])
    case .reduction(let reduction, let axes):
      differentiateReduction(reduction, axes, inputs[0], y, dy)
    case .reshape:
      accumulate(try emit(.reshape(signature(of: inputs[0]).shape), dy), into: inputs[0])
    case .transpose(let permutation):
      let inverse = permutation.indices.sorted { permutation[$0] < permutation[$1] }
      accumulate(try emit(.transpose(inverse), dy), into: inputs[0])
    case .slice(let lower, let upper):
      let shape = signature(of: inputs[0]).shape
      let after = upper.indices.map { shape[$0] - upper[$0] }
      accumulate(try emit(.padding(before: lower, after: after), dy), into: inputs[0])
    case .padding(let before, _):
      let shape = signature(of: inputs[0]).shape
      let upper = before.indices.map { before[$0] + shape[$0] }
      accumulate(try emit(.slice(lower: before, upper: upper), dy), into: inputs[0])
    case .concatenation(let axis): try differentiateConcatenation(axis, inputs, dy)
    case .gather:
      accumulate(
        emit(.scatterAdd, [inputs[1], dy], signature(of: inputs[0])), into: inputs[0])
    case .dropout:
      // The same numbers are dropped, because they are drawn from the same stream.
      accumulate(try emit(operation, dy), into: inputs[0])
    case .convolution, .maxPool, .averagePool, .layerNormalization, .groupNormalization:
      differentiateLayer(operation, inputs, y, dy)
    }
  }

  private mutating func differentiateUnary(
    _ function: UnaryFunction, _ x: Int, _ y: Int, _ dy: Int
  ) throws(TrainingError) {
    switch function {
    case .negate: accumulate(try emit(.unary(.negate), dy), into: x)
    case .exp: accumulate(try emit(.binary(.multiply), dy, y), into: x)
    case .log: accumulate(try emit(.binary(.divide), dy, x), into: x)
    default:
      let known = function.derivativeUsesOutput ? y : x
      accumulate(emit(.unaryGradient(function), [known, dy], signature(of: dy)), into: x)
    }
  }

  private mutating func differentiateBinary(
    _ function: BinaryFunction, _ a: Int, _ b: Int, _ y: Int, _ dy: Int
  ) throws(TrainingError) {
    if needs(a) {
      let da =
        switch function {
        case .add, .subtract: dy
        case .multiply: try emit(.binary(.multiply), dy, b)
        case .divide: try emit(.binary(.divide), dy, b)
        }
      accumulate(summed(da, like: a), into: a)
    }
    guard needs(b) else { return }
    switch function {
    case .add: accumulate(summed(dy, like: b), into: b)
    case .subtract: accumulate(try emit(.unary(.negate), summed(dy, like: b)), into: b)
    case .multiply:
      accumulate(summed(try emit(.binary(.multiply), dy, a), like: b), into: b)
    case .divide:
      // d(a/b)/db = −(a/b)/b
      let quotient = try emit(.binary(.divide), try emit(.binary(.multiply), dy, y), b)
      accumulate(try emit(.unary(.negate), summed(quotient, like: b)), into: b)
    }
  }

  private mutating func differentiateReduction(
    _ reduction: Reduction, _ axes: [Int], _ x: Int, _ y: Int, _ dy: Int
  ) {
    let signature = signature(of: x)
    let count = axes.reduce(1) { $0 * signature.shape[$1] }
    let dx: Int
    switch reduction {
    case .sum: dx = emit(.reductionGradient(axes: axes, scale: 1), [dy], signature)
    case .mean: dx = emit(.reductionGradient(axes: axes, scale: 1 / Float(count)), [dy], signature)
    case .max:
      let places = emit(.auxiliary(0), [y], self.signature(of: y))
      dx = emit(.maxGradient(axes: axes), [places, dy], signature)
    }
    accumulate(dx, into: x)
  }

  private mutating func differentiateConcatenation(
    _ axis: Int, _ inputs: [Int], _ dy: Int
  ) throws(TrainingError) {
    let shape = signature(of: dy).shape
    var position = 0
    for input in inputs {
      let end = position + signature(of: input).shape[axis]
      if needs(input) {
        var (lower, upper) = ([Int](repeating: 0, count: shape.rank), shape.dimensions)
        (lower[axis], upper[axis]) = (position, end)
        let piece = try emit(.slice(lower: lower, upper: upper), dy)
        accumulate(summed(piece, like: input), into: input)
      }
      position = end
    }
  }
}
