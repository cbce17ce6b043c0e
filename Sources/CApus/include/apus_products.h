// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#ifndef APUS_PRODUCTS_H
#define APUS_PRODUCTS_H

/// What a product begins with.
enum apus_product_start {
  /// c ← a · b
  APUS_FROM_ZERO,
  /// c ← c + a · b
  APUS_FROM_RESULT,
};

/// A sum of matrix products of `rows` × `depth` and `depth` × `columns` float32 numbers, one for each
/// segment.
///
/// Strides are in numbers. The columns of b and c are contiguous. Rows of a may overlap: a row of pixels
/// is a matrix whose rows begin one pixel apart, which makes a convolution such a product, with a
/// segment for each row of the filter.
struct apus_product {
  long rows, columns, depth;
  /// 1 for a plain product.
  long segments;
  /// Element (r, d) is `a[r * a_row + d * a_step]`: a transposed matrix costs nothing.
  const float *a;
  long a_row, a_step, a_segment;
  const float *b;
  long b_row, b_segment;
  float *c;
  long c_row;
  enum apus_product_start start;
  /// `columns` numbers that are added to every row once it is summed up; NULL for none.
  const float *bias;
  /// Whether negative results become zero.
  int rectify;
};

/// c ← start + a · b, then c ← c + bias and c ← max(c, 0) where that is said.
///
/// An element is summed over segments and depth in their order, and the bias and the maximum do what they
/// would do by themselves afterwards: they change no bit.
void apus_multiply(const struct apus_product *);

/// c ← a · bᵀ, b having `columns` rows of `depth` numbers; a_step is 1, there is one segment,
/// and it begins with zero, without bias, and is not rectified.
void apus_multiply_transposed(const struct apus_product *);

/// c ← alpha · a · b + beta · c, plainly: b may be transposed too, element (d, n) being
/// `b[d * b_row + n * b_step]`. There is one segment; start, bias and rectify are not looked at. With
/// beta = 0, c is not read.
void apus_multiply_any(const struct apus_product *, long b_step, float alpha, float beta);

#endif
