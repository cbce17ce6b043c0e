// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Layer norm and group norm. Statistics are summed in Double and saved as floats: the mean, and the
// reciprocal of the standard deviation, 1 / √(variance + epsilon), the variance being the biased
// one. gamma and beta may be NULL (ones and zeros). xhat is (x - mean) · reciprocal.

#ifndef APUS_NN_NORMALIZATION_H
#define APUS_NN_NORMALIZATION_H

#include <stddef.h>
#include <stdint.h>

/// y[r, i] = xhat[r, i] gamma[i] + beta[i] over rows of n; mean and reciprocal have one element per
/// row. y may be x.
void apus_layer_norm(
    size_t rows, size_t n, float epsilon, const float *x, const float *restrict gamma,
    const float *restrict beta, float *y, float *restrict mean, float *restrict reciprocal);
/// dx, overwritten; dx may be dy.
void apus_layer_norm_gradient(
    size_t rows, size_t n, const float *restrict x, const float *restrict gamma,
    const float *restrict mean,
    const float *restrict reciprocal, const float *dy, float *dx);

/// Group norm of x, batch × spatial × channels, over the pixels and channels of each group.
///
/// groups divides channels; gamma and beta have one element per channel, mean and reciprocal are
/// batch × groups. y may be x.
void apus_group_norm(
    size_t batch, size_t spatial, size_t channels, size_t groups, float epsilon, const float *x,
    const float *restrict gamma, const float *restrict beta, float *y, float *restrict mean,
    float *restrict reciprocal);
/// dx, overwritten; dx may be dy.
void apus_group_norm_gradient(
    size_t batch, size_t spatial, size_t channels, size_t groups, const float *restrict x,
    const float *restrict gamma, const float *restrict mean, const float *restrict reciprocal,
    const float *dy, float *dx);

#endif
