// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Arrays with strides, for transposing, slicing, padding, joining and broadcasting. Strides count
// elements and may be 0 (repeat) or negative; the pointer is to the element of index 0, 0, …; rank
// ≤ 8, rank 0 is one element.

#ifndef APUS_NN_STRIDED_H
#define APUS_NN_STRIDED_H

#include <stddef.h>
#include <stdint.h>

#include "apus_nn_elementwise.h"

enum { apus_rank_limit = 8 };

/// y[…] = x[…].
void apus_copy_strided(
    size_t rank, const size_t *extents, const ptrdiff_t *x_strides, const float *restrict x,
    const ptrdiff_t *y_strides, float *restrict y);
/// y[…] += x[…], where strides of y may be 0, which sums over that axis: the gradient of a
/// broadcast. The caller fills y first.
void apus_add_strided(
    size_t rank, const size_t *extents, const ptrdiff_t *x_strides, const float *restrict x,
    const ptrdiff_t *y_strides, float *restrict y);
/// y[…] = a[…] op b[…]; y is contiguous, row-major, and is no input's buffer.
void apus_binary_strided(
    apus_operator op, size_t rank, const size_t *extents, const ptrdiff_t *a_strides,
    const float *restrict a,
    const ptrdiff_t *b_strides, const float *restrict b, float *restrict y);

#endif
