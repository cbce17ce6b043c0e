// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus

/// Products of Float32 matrices.
///
/// On processors with vectors of 8 or 16 numbers our own kernels take all shapes that training needs: on
/// its small batches they are about twice as fast as OpenBLAS, which takes the rest. See
/// `docs/Performance.md`. With the portable instruction set, and where there is no OpenBLAS, they take
/// everything.
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
  }

  /// C ← α A B + β C; A is `rows` × `depth`, B is `depth` × `columns`, C is `rows` × `columns`.
  ///
  /// The epilogue, for which β is 0, comes at last.
  ///
  /// With β = 0, C is only written: it may hold anything before, also what is not a number. Where an
  /// extent is 0, C ← β C.
  ///
  /// C overlaps neither A nor B; `cRowStride`, in elements, is at least `columns`.
  ///
  /// - Precondition: extents and strides fit in 32 bits.
  package static func compute(
    rows: Int, columns: Int, depth: Int, alpha: Float = 1, _ a: Operand, _ b: Operand,
    beta: Float = 0, epilogue: Epilogue = .init(), into c: UnsafeMutablePointer<Float>,
    rowStride cRowStride: Int
  ) {
    guard rows > 0, columns > 0 else { return }
    precondition(epilogue.bias == nil || beta == 0, "A bias is added to a product alone.")
    precondition(
      a.rowStride >= (a.isTransposed ? rows : depth)
        && b.rowStride >= (b.isTransposed ? depth : columns) && cRowStride >= columns,
      "A matrix has rows longer than the distance between them.")
    let kernels = apus_kernels_in_use()
    // With the portable set our own kernels take everything.
    let mayAsk = kernels.pointee.is_portable == 0
    if mayAsk, kernels.pointee.has_own_products == 0, let openBLAS = OpenBLAS.loaded {
      openBLAS.multiply(rows, columns, depth, alpha, a, b, beta, c, cRowStride)
      epilogue.apply(rows: rows, columns: columns, to: c, rowStride: cRowStride)
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
    case (_, false) where isPlain:
      product.bias = epilogue.bias
      product.rectify = epilogue.rectifies ? 1 : 0
      apus_multiply(&product)
      return
    case (false, true) where isPlain && beta == 0: apus_multiply_transposed(&product)
    default:
      if mayAsk, let openBLAS = OpenBLAS.loaded {
        openBLAS.multiply(rows, columns, depth, alpha, a, b, beta, c, cRowStride)
      } else {
        product.b_row = b.isTransposed ? 1 : b.rowStride
        apus_multiply_any(&product, b.isTransposed ? b.rowStride : 1, alpha, beta)
      }
    }
    epilogue.apply(rows: rows, columns: columns, to: c, rowStride: cRowStride)
  }

  /// What is done to a product while it is still in registers, with the bits of doing it afterwards.
  package struct Epilogue {
    /// Added to every row, as many numbers as there are columns; nil for none.
    package var bias: UnsafePointer<Float>?
    /// Whether negative numbers become zero.
    package var rectifies: Bool

    package init(bias: UnsafePointer<Float>? = nil, rectifies: Bool = false) {
      self.bias = bias
      self.rectifies = rectifies
    }

    /// By itself, to a product whose kernel has no epilogue.
    package func apply(
      rows: Int, columns: Int, to c: UnsafeMutablePointer<Float>, rowStride: Int
    ) {
      let function: apus_activation = rectifies ? .relu : .identity
      guard let bias else {
        guard rectifies else { return }
        for row in 0..<rows {
          let row = c + row * rowStride
          apus_activate(function, 0, columns, row, row)
        }
        return
      }
      if rowStride == columns { return apus_bias_activate(function, 0, rows, columns, bias, c, c) }
      for row in 0..<rows {
        let row = c + row * rowStride
        apus_bias_activate(function, 0, 1, columns, bias, row, row)
      }
    }

    /// For the columns from `first` on.
    package func columns(from first: Int) -> Epilogue {
      Epilogue(bias: bias.map { $0 + first }, rectifies: rectifies)
    }
  }
}
