// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus
internal import COpenBLAS

/// Products of Float32 matrices.
///
/// On processors with vectors of 8 or 16 numbers our own kernels take all shapes that training needs: on
/// its small batches they are about twice as fast as OpenBLAS, which takes the rest. See
/// `docs/Performance.md`. With the portable instruction set they take everything.
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
    let kernels = apus_kernels_in_use()
    guard kernels.pointee.has_own_products != 0 else {
      cblas(rows, columns, depth, alpha, a, b, beta, c, cRowStride)
      return
    }
    var product = apus_product()
    product.rows = rows
    product.columns = columns
    product.depth = depth
    product.segments = 1
    product.a = a.base
    product.a_row = a.isTransposed ? 1 : a.rowStride
    product.a_step = a.isTransposed ? a.rowStride : 1
    product.b = b.base
    product.b_row = b.rowStride
    product.c = c
    product.c_row = cRowStride
    product.start = beta == 0 ? APUS_FROM_ZERO : APUS_FROM_RESULT
    let isPlain = alpha == 1 && (beta == 0 || beta == 1) && depth > 0
    switch (a.isTransposed, b.isTransposed) {
    case (_, false) where isPlain: apus_multiply(&product)
    case (false, true) where isPlain && beta == 0: apus_multiply_transposed(&product)
    default:
      guard kernels.pointee.is_portable != 0 else {
        cblas(rows, columns, depth, alpha, a, b, beta, c, cRowStride)
        return
      }
      product.b_row = b.isTransposed ? 1 : b.rowStride
      apus_multiply_any(&product, b.isTransposed ? b.rowStride : 1, alpha, beta)
    }
  }

  private static func cblas(
    _ rows: Int, _ columns: Int, _ depth: Int, _ alpha: Float, _ a: Operand, _ b: Operand,
    _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ cRowStride: Int
  ) {
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
