// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Softmax and the losses. Row by row: arrays are rows × n (or rows × classes), row-major.

#ifndef APUS_NN_LOSS_H
#define APUS_NN_LOSS_H

#include <stddef.h>
#include <stdint.h>

/// y[r, :] = softmax(x[r, :]); y may be x.
void apus_softmax(size_t rows, size_t n, const float *x, float *y);
/// dx = y (dy - Σ dy y) of every row, given the output y; dx may be dy.
void apus_softmax_gradient(size_t rows, size_t n, const float *y, const float *dy, float *dx);
/// y[r, :] = x[r, :] - ln Σ e^x[r, :]; y may be x.
void apus_log_softmax(size_t rows, size_t n, const float *x, float *y);
/// dx = dy - e^y Σ dy of every row, given the output y; dx may be dy.
void apus_log_softmax_gradient(size_t rows, size_t n, const float *y, const float *dy, float *dx);

/// How many of n labels count (are not negative).
size_t apus_count_labels(size_t n, const int32_t *labels);

/// The softmax cross-entropy of rows × classes logits, summed over the rows that count.
///
/// A row whose label is negative is ignored: no loss, a gradient of 0. A label that is no class (≥
/// classes) makes the loss NaN and its row's gradient 0. classes ≥ 1.
///
/// - dlogits: scale (softmax - one hot); NULL for none; may be the buffer of the logits.
/// - correct: NULL, or where to put how many counting rows have their largest logit (the first of equals) at the label.
/// - counted: NULL, or where to put how many rows count.
double apus_softmax_cross_entropy(
    size_t rows, size_t classes, const float *logits, const int32_t *restrict labels, float scale,
    float *dlogits, size_t *correct, size_t *counted);

/// The sigmoid cross-entropy of rows × n logits with targets in 0...1, summed over all elements.
///
/// - dlogits: scale (sigmoid(x) - target); NULL for none; may be the buffer of the logits.
/// - correct: NULL, or where to put how many rows have every logit on its target's side (x > 0 as target > 1/2).
double apus_sigmoid_cross_entropy(
    size_t rows, size_t n, const float *logits, const float *restrict targets, float scale,
    float *dlogits, size_t *correct);

/// Σ (x[i] - target[i])²; dx[i] = 2 scale (x[i] - target[i]), NULL for none; dx may be x.
double apus_squared_error(size_t n, const float *x, const float *restrict targets, float scale,
    float *dx);

#endif
