// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

extension Differentiator {
  // C = A B, where A and B may each be transposed: dA = dC Bᵀ and dB = Aᵀ dC, transposed again.
  mutating func differentiateProduct(
    _ a: Int, _ transposingLeft: Bool, _ b: Int, _ transposingRight: Bool, _ dc: Int
  ) throws(TrainingError) {
    if needs(a) {
      let da =
        transposingLeft
        ? try product(b, dc, transposingRight, true)
        : try product(dc, b, false, !transposingRight)
      accumulate(summed(da, like: a), into: a)
    }
    guard needs(b) else { return }
    let (left, right) = (signature(of: a), signature(of: b))
    if !right.isBatched, right.shape.rank == 2, !transposingLeft {
      // One matrix for all rows of all examples: one product over all of them.
      accumulate(
        emit(.rowsProduct, transposingRight ? [dc, a] : [a, dc], right), into: b)
      return
    }
    // A vector is a row here.
    let a = left.shape.rank == 1 ? try emit(.reshape(left.shape.asMatrix), a) : a
    let dc =
      left.shape.rank == 1 ? try emit(.reshape(signature(of: dc).shape.asMatrix), dc) : dc
    let db =
      transposingRight
      ? try product(dc, a, true, transposingLeft) : try product(a, dc, !transposingLeft, false)
    accumulate(summed(db, like: b), into: b)
  }

  private mutating func product(
    _ a: Int, _ b: Int, _ transposingLeft: Bool, _ transposingRight: Bool
  ) throws(TrainingError) -> Int {
    try emit(
      .product(transposingLeft: transposingLeft, transposingRight: transposingRight), a, b)
  }

  mutating func differentiateLayer(_ operation: Operation, _ inputs: [Int], _ y: Int, _ dy: Int) {
    let x = inputs[0]
    let signature = signature(of: x)
    switch operation {
    case .convolution(let window, let groups):
      if needs(x) {
        accumulate(
          emit(.convolutionInputGradient(window, groups: groups), [inputs[1], dy], signature),
          into: x)
      }
      if needs(inputs[1]) {
        accumulate(
          emit(
            .convolutionFilterGradient(window, groups: groups), [x, dy],
            self.signature(of: inputs[1])), into: inputs[1])
      }
    case .maxPool(let window):
      let places = emit(.auxiliary(0), [y], self.signature(of: y))
      accumulate(emit(.maxPoolGradient(window), [places, dy], signature), into: x)
    case .averagePool(let window):
      accumulate(emit(.averagePoolGradient(window), [dy], signature), into: x)
    case .layerNormalization(let axes, _):
      let statistics = Shape(Array(signature.shape.dimensions.dropLast(axes)))
      let (mean, reciprocal) = emitStatistics(of: y, statistics, signature)
      accumulate(
        emit(.layerNormalizationGradient(axes: axes), [x, mean, reciprocal, dy], signature),
        into: x)
    case .groupNormalization(let groups, _):
      let (mean, reciprocal) = emitStatistics(of: y, [groups], signature)
      accumulate(
        emit(.groupNormalizationGradient(groups: groups), [x, mean, reciprocal, dy], signature),
        into: x)
    default: break
    }
  }

  private mutating func emitStatistics(
    of y: Int, _ shape: Shape, _ like: Signature
  ) -> (mean: Int, reciprocal: Int) {
    let signature = Signature(shape: shape, isBatched: like.isBatched)
    return (emit(.auxiliary(0), [y], signature), emit(.auxiliary(1), [y], signature))
  }
}
