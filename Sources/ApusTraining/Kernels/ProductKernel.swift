// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// The one place that products of matrices go through; which routine takes which shape is decided here.
struct ProductKernel {
  private let rows: Int
  private let depth: Int
  private let columns: Int
  private let outerCount: Int
  private let isTransposed: (left: Bool, right: Bool)
  /// Elements from one matrix to the next, over outer axes and over examples.
  private let leftStrides: (outer: Int, example: Int)
  private let rightStrides: (outer: Int, example: Int)
  private let resultExtent: Extent
  /// Whether the rows of all examples make one product.
  private let isOneProduct: Bool

  init(
    _ left: Signature, transposingLeft: Bool, _ right: Signature, transposingRight: Bool,
    result: Signature
  ) {
    (rows, depth) = transposingLeft ? (left.columns, left.rows) : (left.rows, left.columns)
    columns = result.columns
    outerCount = result.count / (rows * columns)
    isTransposed = (transposingLeft, transposingRight)
    func strides(_ operand: Signature) -> (Int, Int) {
      (
        operand.shape.rank > 2 ? operand.rows * operand.columns : 0,
        operand.isBatched ? operand.count : 0
      )
    }
    leftStrides = strides(left)
    rightStrides = strides(right)
    resultExtent = Extent(result)
    isOneProduct =
      !transposingLeft && !right.isBatched && right.shape.rank == 2
      && left.isBatched == result.isBatched
  }

  func run(
    _ frame: borrowing Frame, _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>,
    _ epilogue: MatrixProduct.Epilogue, into result: UnsafeMutablePointer<Float>
  ) {
    let exampleCount = frame.rows(resultExtent)
    if isOneProduct {
      multiply(rows * outerCount * exampleCount, left, right, epilogue, result)
      return
    }
    for example in 0..<exampleCount {
      for outer in 0..<outerCount {
        multiply(
          rows, left + example * leftStrides.example + outer * leftStrides.outer,
          right + example * rightStrides.example + outer * rightStrides.outer, epilogue,
          result + (example * outerCount + outer) * rows * columns)
      }
    }
  }

  private func multiply(
    _ rows: Int, _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>,
    _ epilogue: MatrixProduct.Epilogue, _ result: UnsafeMutablePointer<Float>
  ) {
    MatrixProduct.compute(
      rows: rows, columns: columns, depth: depth,
      .init(left, rowStride: isTransposed.left ? rows : depth, isTransposed: isTransposed.left),
      .init(
        right, rowStride: isTransposed.right ? depth : columns, isTransposed: isTransposed.right),
      epilogue: epilogue, into: result, rowStride: columns)
  }

  /// result ← beta · result + leftᵀ right; left is rows × m, right rows × n, result m × n.
  static func rowsProduct(
    rows: Int, m: Int, n: Int, _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>,
    beta: Float, into result: UnsafeMutablePointer<Float>
  ) {
    MatrixProduct.compute(
      rows: m, columns: n, depth: rows, .init(left, rowStride: m, isTransposed: true),
      .init(right, rowStride: n), beta: beta, into: result, rowStride: n)
  }
}
