// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#ifndef APUS_OPTIMIZERS_H
#define APUS_OPTIMIZERS_H

#include <stddef.h>

// One pass over the parameters each. n: how many; x: the parameters, moved; g: their gradient.
// Nothing is contracted or reordered, so every instruction set gives the same bits.

/// x -= rate * (g + decay * x).
void apus_sgd_step(size_t n, float *x, const float *g, float rate, float decay);

/// d = g + decay * x; velocity = momentum * velocity + d;
/// x -= rate * velocity, or with nesterov: x -= rate * (d + momentum * velocity).
void apus_momentum_step(
    size_t n, float *x, const float *g, float *velocity, float rate, float momentum, float decay,
    int nesterov);

/// d = g + decay * x; m += gain1 * (d - m); v = beta2 * v + gain2 * d * d;
/// x = shrink * x - rate * m / (sqrt(v) / correction + epsilon).
void apus_adam_step(
    size_t n, float *x, const float *g, float *m, float *v, float rate, float decay, float shrink,
    float gain1, float beta2, float gain2, float correction, float epsilon);

#endif
