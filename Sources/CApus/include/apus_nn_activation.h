// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Activations. An output may be the very buffer of an input, but may not overlap one in any other
// way.

#ifndef APUS_NN_ACTIVATION_H
#define APUS_NN_ACTIVATION_H

#include <stddef.h>
#include <stdint.h>

typedef enum __attribute__((enum_extensibility(closed))) apus_activation : int32_t {
  apus_activation_identity,
  apus_activation_relu,        // max(x, 0); NaN stays
  apus_activation_leaky_relu,  // x > 0 ? x : slope x, with slope > 0
  apus_activation_sigmoid,     // 1 / (1 + e^-x)
  apus_activation_tanh,
  apus_activation_gelu,        // x Φ(x), with the error function
  apus_activation_gelu_tanh,   // x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2
  apus_activation_silu,        // x sigmoid(x)
} apus_activation;

/// y[i] = f(x[i]); `slope` is read for leaky relu only.
///
/// Errors against the exact function: sigmoid and tanh within 3 units in the last place; gelu and
/// silu within 3e-7 of max(|x|, 1).
void apus_activate(apus_activation f, float slope, size_t n, const float *x, float *y);

/// y[r, i] = f(x[r, i] + bias[i]); x and y are rows × n.
void apus_bias_activate(
    apus_activation f, float slope, size_t rows, size_t n, const float *restrict bias,
    const float *x, float *y);

/// dx[i] = dy[i] f'(x[i]). What `known` must hold:
///
/// | f                                           | known          |
/// | ------------------------------------------- | -------------- |
/// | identity                                    | not read       |
/// | relu, leaky relu, sigmoid, tanh             | the **output** y |
/// | gelu, gelu tanh, silu                       | the **input** x  |
void apus_activation_gradient(
    apus_activation f, float slope, size_t n, const float *known, const float *dy, float *dx);

#endif
