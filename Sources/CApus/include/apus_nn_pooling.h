// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Pooling over windows; channels are kept apart. Global average pooling is `apus_sum_axis` with
// outer = batch, axis = height · width, inner = channels and scale = 1 / axis; its gradient is
// `apus_broadcast_axis`.

#ifndef APUS_NN_POOLING_H
#define APUS_NN_POOLING_H

#include <stddef.h>
#include <stdint.h>

#include "apus_nn_convolution.h"

/// y = the largest of each window (padding never wins; a NaN does), and where = the position of the
/// first such element within its image and channel, row · width + column. Every window must touch
/// the image.
///
/// With `rectify`, y = max(y, 0) at last, which is the largest of max(x, 0).
void apus_max_pool(
    size_t batch, const apus_window *window, int32_t rectify, const float *restrict x,
    float *restrict y, int32_t *restrict where);
/// dx, overwritten: every dy goes to where its output came from.
///
/// `rectified` is NULL, or the outputs of rectified numbers: then those that are not positive give
/// nothing back, which makes dx the gradient by what was rectified.
void apus_max_pool_gradient(
    size_t batch, const apus_window *window, const int32_t *restrict where,
    const float *restrict rectified, const float *restrict dy, float *restrict dx);

/// y = the mean of each window. Padding counts as zeros, as in PyTorch's default, when
/// `counts_padding` is 1; when it is 0, the divisor is the number of elements within the image.
void apus_average_pool(
    size_t batch, const apus_window *window, int32_t counts_padding, const float *restrict x,
    float *restrict y);
/// dx, overwritten.
void apus_average_pool_gradient(
    size_t batch, const apus_window *window, int32_t counts_padding, const float *restrict dy,
    float *restrict dx);

#endif
