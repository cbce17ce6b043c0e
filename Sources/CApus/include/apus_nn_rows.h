// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Rows of a table by number (embeddings). The table is rows × width, indices has count elements, x
// and y are count × width. Both functions look at every index first: where one is not in 0..<rows,
// they change nothing and return its position; else they return -1.

#ifndef APUS_NN_ROWS_H
#define APUS_NN_ROWS_H

#include <stddef.h>
#include <stdint.h>

/// y[c, :] = table[indices[c], :].
ptrdiff_t apus_gather_rows(
    size_t count, size_t width, size_t rows, const float *restrict table,
    const int32_t *restrict indices,
    float *restrict y);
/// table[indices[c], :] += alpha x[c, :], in the order of c; indices may repeat.
ptrdiff_t apus_scatter_add_rows(
    size_t count, size_t width, size_t rows, float alpha, const int32_t *restrict indices,
    const float *restrict x, float *restrict table);

#endif
