// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Reductions over the middle axis of x, which is outer × axis × inner; y is outer × inner.

#ifndef APUS_NN_REDUCE_H
#define APUS_NN_REDUCE_H

#include <stddef.h>
#include <stdint.h>

/// y[o, i] = scale Σ_a x[o, a, i]; for the mean, scale = 1 / axis.
void apus_sum_axis(
    size_t outer, size_t axis, size_t inner, float scale, const float *restrict x,
    float *restrict y);
/// dx[o, a, i] = scale dy[o, i]: the gradient of the sum, and a broadcast.
void apus_broadcast_axis(
    size_t outer, size_t axis, size_t inner, float scale, const float *restrict dy,
    float *restrict dx);
/// y[o, i] = max_a x[o, a, i], and where[o, i] = the first a that has it; a NaN wins. axis ≥ 1.
void apus_max_axis(
    size_t outer, size_t axis, size_t inner, const float *restrict x, float *restrict y,
    int32_t *restrict where);
/// dx[o, a, i] = a = where[o, i] ? dy[o, i] : 0.
void apus_max_axis_gradient(
    size_t outer, size_t axis, size_t inner, const int32_t *restrict where,
    const float *restrict dy,
    float *restrict dx);

#endif
