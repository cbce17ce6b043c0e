// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Arithmetic, one element at a time. n counts elements; arrays are row-major and contiguous. An
// output may be the very buffer of an input (in place), but may not overlap one in any other way,
// unless it says `restrict`.

#ifndef APUS_NN_ELEMENTWISE_H
#define APUS_NN_ELEMENTWISE_H

#include <stddef.h>
#include <stdint.h>

/// A function of two numbers a and b.
typedef enum __attribute__((enum_extensibility(closed))) apus_operator : int32_t {
  apus_operator_add,            // a + b
  apus_operator_subtract,       // a - b
  apus_operator_subtract_from,  // b - a
  apus_operator_multiply,       // a * b
  apus_operator_divide,         // a / b
  apus_operator_divide_into,    // b / a
} apus_operator;

/// y[i] = value.
void apus_fill(size_t n, float value, float *y);
/// y[i] = alpha x[i] + beta.
void apus_affine(size_t n, float alpha, float beta, const float *x, float *y);
/// y[i] = beta y[i] + alpha x[i]; with beta = 0, y is not read (it may hold anything, even NaN).
void apus_sink(size_t n, float alpha, const float *x, float beta, float *y);

/// y[i] = a[i] op b[i].
void apus_binary(apus_operator op, size_t n, const float *a, const float *b, float *y);
/// y[r, i] = a[r, i] op b[i]: b, of n elements, is repeated in every row; a and y are rows × n.
void apus_binary_row(
    apus_operator op, size_t rows, size_t n, const float *a, const float *restrict b, float *y);
/// y[r, i] = a[r, i] op b[r]: one number per row; a and y are rows × n.
void apus_binary_column(
    apus_operator op, size_t rows, size_t n, const float *a, const float *restrict b, float *y);
/// y[i] = a[i] op b.
void apus_binary_scalar(apus_operator op, size_t n, const float *a, float b, float *y);

/// y[i] = -x[i].
void apus_negate(size_t n, const float *x, float *y);
/// y[i] = e^x[i], within 2 units in the last place; 0 and infinity where it leaves the range, as
/// libm has it.
void apus_exp(size_t n, const float *x, float *y);
/// y[i] = ln x[i], within 2 units in the last place; -infinity at 0, NaN below.
void apus_log(size_t n, const float *x, float *y);
/// y[i] = √x[i], correctly rounded.
void apus_sqrt(size_t n, const float *x, float *y);
/// dx[i] = dy[i] / (2 y[i]), of y = √x, given the output y.
void apus_sqrt_gradient(size_t n, const float *y, const float *dy, float *dx);
/// y[i] = x[i]^p: exact products for the integers of |p| ≤ 64, square roots for ±1/2, and else e^(p
/// ln x), whose relative error is about 1e-7 (2 + |p ln x|); NaN where x < 0 and p is not an
/// integer.
void apus_power(size_t n, float p, const float *x, float *y);
/// dx[i] = dy[i] p x[i]^(p - 1), given the input x.
void apus_power_gradient(size_t n, float p, const float *x, const float *dy, float *dx);

/// y[i] = beta y[i] + alpha Σ_r x[r, i]; x is rows × n. With beta = 0, y is not read. Summed in
/// blocks, so that the rounding error grows with the square root of the rows at worst.
void apus_column_sums(
    size_t rows, size_t n, float alpha, const float *restrict x, float beta, float *restrict y);

#endif
