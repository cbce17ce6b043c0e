// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import COpenBLAS

/// Products of Float32 matrices, by OpenBLAS.
package enum MatrixProduct {
  /// A matrix in memory, row by row.
  package struct Operand {
    package let base: UnsafePointer<Float>
    /// From the beginning of a row to the beginning of the next, in elements.
    package let rowStride: Int
    /// Whether the matrix in memory is the transpose of the one that is meant.
    package let isTransposed: Bool

    package init(_ base: UnsafePointer<Float>, rowStride: Int, isTransposed: Bool = false) {
      self.base = base
      self.rowStride = rowStride
      self.isTransposed = isTransposed
    }

    fileprivate var transposition: CBLAS_TRANSPOSE { isTransposed ? CblasTrans : CblasNoTrans }
  }

  /// C ← α A B + β C; A is `rows` × `depth`, B is `depth` × `columns`, C is `rows` × `columns`.
  ///
  /// With β = 0, C is only written: it may hold anything before, also what is not a number. Where an
  /// extent is 0, C ← β C.
  ///
  /// C overlaps neither A nor B; `cRowStride`, in elements, is at least `columns`.
  ///
  /// - Precondition: extents and strides fit in 32 bits.
  package static func compute(
    rows: Int, columns: Int, depth: Int, alpha: Float = 1, _ a: Operand, _ b: Operand,
    beta: Float = 0, into c: UnsafeMutablePointer<Float>, rowStride cRowStride: Int
  ) {
    guard rows > 0, columns > 0 else { return }
    precondition(
      a.rowStride >= (a.isTransposed ? rows : depth)
        && b.rowStride >= (b.isTransposed ? depth : columns) && cRowStride >= columns,
      "A matrix has rows longer than the distance between them.")
    cblas_sgemm(
      CblasRowMajor, a.transposition, b.transposition, blasint(rows), blasint(columns),
      blasint(depth), alpha, a.base, blasint(max(a.rowStride, 1)), b.base,
      blasint(max(b.rowStride, 1)), beta, c, blasint(cRowStride))
  }

  /// Lets every product run on the thread that asks for it.
  ///
  /// Clients are trained side by side, so threads inside of a product would only get in each
  /// other's way. It concerns the whole process; call it before the first product.
  package static func useOneThread() { openblas_set_num_threads(1) }
}
