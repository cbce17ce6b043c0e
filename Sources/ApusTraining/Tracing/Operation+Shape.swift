// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

// The shape rules. Tracing and the check of a decoded graph both use these, so that what is refused in
// the one is refused in the other.

extension Operation {
  /// The signature of the result.
  ///
  /// - Throws: `shapeMismatch`, with the operation and the shapes in the message.
  func result(of inputs: [Signature]) throws(TrainingError) -> Signature {
    try requireCount(of: inputs)
    if inputs.contains(where: \.isTokens) { try requireWordsOnly(inputs) }
    let result = try uncheckedResult(of: inputs)
    guard result.shape.rank <= Signature.highestRank else {
      throw mismatch("\(name): \(result.shape) has more than \(Signature.highestRank) axes")
    }
    guard let count = result.shape.checkedCount, count <= Signature.largestCount else {
      throw mismatch("\(name): \(result.shape) is too large for an array")
    }
    guard count > 0 else { throw mismatch("\(name): \(result.shape) has no elements") }
    return result
  }

  /// What messages call the operation.
  var name: String {
    switch self {
    case .input: "input"
    case .parameter: "parameter"
    case .constant: "constant"
    case .unary(.power(let exponent)): "power of \(exponent)"
    case .unary(.leakyRelu): "leakyRelu"
    case .unary(let function): "\(function)"
    case .binary(let function): function.rawValue
    case .product: "product"
    case .softmax: "softmax"
    case .logSoftmax: "logSoftmax"
    case .reduction(let reduction, _): reduction.rawValue
    case .reshape: "reshape"
    case .transpose: "transpose"
    case .slice: "slice"
    case .concatenation: "concatenation"
    case .padding: "padding"
    case .gather: "gather"
    case .convolution: "convolution"
    case .maxPool: "maxPool"
    case .averagePool: "averagePool"
    case .layerNormalization: "layerNormalization"
    case .groupNormalization: "groupNormalization"
    case .dropout: "dropout"
    }
  }

  private func mismatch(_ message: String) -> TrainingError {
    TrainingError(.shapeMismatch, message)
  }

  private func requireCount(of inputs: [Signature]) throws(TrainingError) {
    let expected: ClosedRange<Int> =
      switch self {
      case .input, .parameter, .constant: 0...0
      case .binary, .product, .gather, .convolution: 2...2
      case .concatenation: 1...1024
      default: 1...1
      }
    guard expected ~= inputs.count else {
      throw mismatch("\(name) of \(inputs.count) values: it takes \(expected.upperBound)")
    }
  }

  /// Indices can be moved about and looked up, not computed with.
  private func requireWordsOnly(_ inputs: [Signature]) throws(TrainingError) {
    switch self {
    case .reshape, .transpose, .slice: return
    case .concatenation where inputs.allSatisfy(\.isTokens): return
    case .gather where !inputs[0].isTokens: return
    default: throw mismatch("\(name) of indices: only an embedding turns indices into numbers")
    }
  }

  private func uncheckedResult(of inputs: [Signature]) throws(TrainingError) -> Signature {
    switch self {
    case .input, .parameter:
      // Their signatures are declared in the graph.
      throw mismatch("\(name) has no shape of its own")
    case .constant(let value):
      guard value.isFinite else { throw mismatch("constant \(value): it must be finite") }
      return Signature(shape: [], isBatched: false)
    case .unary, .softmax, .logSoftmax:
      if inputs[0].shape.rank == 0, self == .softmax || self == .logSoftmax {
        throw mismatch("\(name) of a scalar: it needs an axis")
      }
      return inputs[0]
    case .dropout(let rate, let ordinal):
      guard rate >= 0, rate < 1, ordinal >= 0 else {
        throw mismatch("dropout at rate \(rate): it must be in 0..<1")
      }
      return inputs[0]
    case .binary: return try binaryResult(inputs[0], inputs[1])
    case .product(let left, let right):
      return try productResult(inputs[0], left, inputs[1], right)
    case .reduction(_, let axes):
      try require(axes: axes, of: inputs[0])
      guard zip(axes, axes.dropFirst()).allSatisfy({ $1 == $0 + 1 }) else {
        throw mismatch("\(name) over axes \(axes): one node reduces neighbouring axes only")
      }
      var result = inputs[0]
      for axis in axes { result.shape.dimensions[axis] = 1 }
      return result
    case .layerNormalization(let axes, let epsilon):
      guard axes >= 1, axes <= inputs[0].shape.rank, epsilon > 0, epsilon.isFinite else {
        throw mismatch("\(name) of \(inputs[0].shape) over \(axes) axes, epsilon \(epsilon)")
      }
      return inputs[0]
    case .groupNormalization(let groups, let epsilon):
      guard inputs[0].shape.rank >= 1, groups >= 1, inputs[0].columns % groups == 0,
        epsilon > 0, epsilon.isFinite
      else {
        throw mismatch(
          "\(name) of \(inputs[0].shape): \(inputs[0].columns) channels are not \(groups) groups")
      }
      return inputs[0]
    case .gather:
      guard inputs[0].shape.rank == 2, !inputs[0].isBatched, inputs[1].isTokens else {
        throw mismatch(
          "gather from \(inputs[0].shape) at \(inputs[1].shape): it takes a table of rows × columns"
            + " and indices")
      }
      return Signature(
        shape: Shape(inputs[1].shape.dimensions + [inputs[0].columns]),
        isBatched: inputs[1].isBatched)
    case .reshape, .transpose, .slice, .concatenation, .padding:
      return try shapingResult(of: inputs)
    case .convolution(let window, let groups):
      return try convolutionResult(inputs[0], inputs[1], window, groups)
    case .maxPool(let window), .averagePool(let window):
      let image = inputs[0].shape
      guard image.rank == 3, let places = window.places(on: image[0], image[1]) else {
        throw mismatch(
          "\(name) of \(image) by \(window.size.height)×\(window.size.width): the window does not fit"
            + " height × width × channels")
      }
      var result = inputs[0]
      result.shape = [places.height, places.width, image[2]]
      return result
    }
  }

  private func require(axes: [Int], of input: Signature) throws(TrainingError) {
    guard !axes.isEmpty || input.shape.rank == 0, axes.allSatisfy({ 0..<input.shape.rank ~= $0 }),
      zip(axes, axes.dropFirst()).allSatisfy(<)
    else { throw mismatch("\(name) of \(input.shape) over axes \(axes): there are no such axes") }
  }

  private func binaryResult(_ a: Signature, _ b: Signature) throws(TrainingError) -> Signature {
    guard let shape = a.shape.broadcast(with: b.shape) else {
      throw mismatch("\(name) of \(a.shape) and \(b.shape): the shapes cannot be broadcast")
    }
    return Signature(shape: shape, isBatched: a.isBatched || b.isBatched)
  }

  private func productResult(
    _ a: Signature, _ transposingLeft: Bool, _ b: Signature, _ transposingRight: Bool
  ) throws(TrainingError) -> Signature {
    let what = "product of \(a.shape.asMatrix) and \(b.shape.asMatrix)"
    guard a.shape.rank >= 1, b.shape.rank >= 2, a.shape.rank >= 2 || !transposingLeft else {
      throw mismatch("\(what): the right side needs two axes and the left side one")
    }
    let (m, k) = transposingLeft ? (a.columns, a.rows) : (a.rows, a.columns)
    let (k2, n) = transposingRight ? (b.columns, b.rows) : (b.rows, b.columns)
    guard k == k2 else { throw mismatch("\(what): inner dimensions differ (\(k), \(k2))") }
    let (outerA, outerB) = (a.shape.dimensions.dropLast(2), b.shape.dimensions.dropLast(2))
    guard outerA == outerB || outerA.isEmpty || outerB.isEmpty else {
      throw mismatch("\(what): outer dimensions differ")
    }
    let outer = Array(outerA.isEmpty ? outerB : outerA)
    let isRow = a.shape.rank == 1
    if isRow && !outer.isEmpty { throw mismatch("\(what): a vector times many matrices") }
    return Signature(
      shape: Shape(outer + (isRow ? [n] : [m, n])), isBatched: a.isBatched || b.isBatched)
  }

  private func shapingResult(of inputs: [Signature]) throws(TrainingError) -> Signature {
    var result = inputs[0]
    let shape = inputs[0].shape
    switch self {
    case .reshape(let new):
      guard new.checkedCount == shape.count, new.dimensions.allSatisfy({ $0 > 0 }) else {
        throw mismatch("reshape of \(shape) to \(new): the numbers of elements differ")
      }
      result.shape = new
    case .transpose(let permutation):
      guard permutation.sorted() == Array(0..<shape.rank) else {
        throw mismatch("transpose of \(shape) by \(permutation): not a permutation of its axes")
      }
      result.shape = Shape(permutation.map { shape[$0] })
    case .slice(let lower, let upper):
      guard lower.count == shape.rank, upper.count == shape.rank,
        (0..<shape.rank).allSatisfy({
          0 <= lower[$0] && lower[$0] < upper[$0] && upper[$0] <= shape[$0]
        })
      else { throw mismatch("slice of \(shape) from \(lower) to \(upper): outside of it") }
      result.shape = Shape((0..<shape.rank).map { upper[$0] - lower[$0] })
    case .padding(let before, let after):
      guard before.count == shape.rank, after.count == shape.rank,
        (before + after).allSatisfy({ 0...Signature.largestCount ~= $0 })
      else { throw mismatch("padding of \(shape) by \(before) and \(after)") }
      result.shape = Shape((0..<shape.rank).map { before[$0] + shape[$0] + after[$0] })
    case .concatenation(let axis):
      guard 0..<shape.rank ~= axis,
        inputs.allSatisfy({
          $0.shape.rank == shape.rank && $0.isTokens == inputs[0].isTokens
            && $0.shape.replacing(axis: axis, by: 1) == shape.replacing(axis: axis, by: 1)
        })
      else {
        let shapes = inputs.map(\.shape.description).joined(separator: ", ")
        throw mismatch("concatenation of \(shapes) along axis \(axis): other axes differ")
      }
      result.shape = shape.replacing(
        axis: axis, by: inputs.reduce(0) { $0 + $1.shape[axis] })
      result.isBatched = inputs.contains(where: \.isBatched)
    default: break
    }
    return result
  }

  private func convolutionResult(
    _ images: Signature, _ filters: Signature, _ window: Window, _ groups: Int
  ) throws(TrainingError) -> Signature {
    let (image, filter) = (images.shape, filters.shape)
    let what = "convolution of \(image) with \(filter)"
    guard image.rank == 3, filter.rank == 4, !filters.isBatched else {
      throw mismatch("\(what): it takes height × width × channels and four axes of filters")
    }
    guard images.isBatched else { throw mismatch("\(what): the images depend on no input") }
    guard groups >= 1, image[2] % groups == 0, filter[3] % groups == 0,
      filter[2] == image[2] / groups
    else {
      throw mismatch(
        "\(what) in \(groups) groups: filters must have \(image[2])/\(groups) input channels and a"
          + " multiple of \(groups) outputs")
    }
    guard window.size == Window.Extent(filter[0], filter[1]),
      let places = window.places(on: image[0], image[1])
    else { throw mismatch("\(what): the window does not fit the image") }
    return Signature(shape: [places.height, places.width, filter[3]], isBatched: true)
  }
}
