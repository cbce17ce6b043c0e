// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

FP_EXPRESSIONS

#define HALF_ROOT 0.70710678118654752f       // √½
#define NORMAL_DENSITY 0.39894228040143268f  // 1 / √(2π)
#define TANH_SCALE 0.79788456080286536f      // √(2/π)
#define TANH_CUBE 0.044715f

INLINE float gelu(float x) {
  return x * (0.5f + 0.5f * error_function(x * HALF_ROOT));
}

INLINE float gelu_slope(float x) {
  float density = NORMAL_DENSITY * exponential(-0.5f * x * x);
  return 0.5f + 0.5f * error_function(x * HALF_ROOT) + x * density;
}

INLINE float gelu_tanh(float x) {
  float t = hyperbolic_tangent(TANH_SCALE * (x + TANH_CUBE * x * x * x));
  return x * (0.5f + 0.5f * t);
}

INLINE float gelu_tanh_slope(float x) {
  float t = hyperbolic_tangent(TANH_SCALE * (x + TANH_CUBE * x * x * x));
  // Where t is ±1, the square can have left the range.
  float inner = 1 - t * t == 0 ? 0 : TANH_SCALE * (1 + 3 * TANH_CUBE * x * x);
  return 0.5f + 0.5f * t + 0.5f * x * (1 - t * t) * inner;
}

INLINE float silu_slope(float x) {
  float s = logistic(x);
  return s * (1 + x * (1 - s));
}

#define LOOP(expression)                                                     \
  PARALLEL for (size_t i = 0; i < n; i++) {                             \
    float x_ = INPUT;                                                        \
    y[i] = (expression);                                                     \
  }                                                                          \
  break;

#define ACTIVATION_SWITCH                                                    \
  switch (f) {                                                               \
    case apus_activation_identity: LOOP(x_)                                  \
    case apus_activation_relu: LOOP(x_ < 0 ? 0 : x_)                         \
    case apus_activation_leaky_relu: LOOP(x_ < 0 ? slope * x_ : x_)          \
    case apus_activation_sigmoid: LOOP(logistic(x_))                         \
    case apus_activation_tanh: LOOP(hyperbolic_tangent(x_))                  \
    case apus_activation_gelu: LOOP(gelu(x_))                                \
    case apus_activation_gelu_tanh: LOOP(gelu_tanh(x_))                      \
    case apus_activation_silu: LOOP(x_ * logistic(x_))                       \
  }

static void KERNEL(activate)(
    apus_activation f, float slope, size_t n, const float *x, float *y) {
#define INPUT x[i]
  ACTIVATION_SWITCH
#undef INPUT
}

static void KERNEL(bias_activate)(
    apus_activation f, float slope, size_t rows, size_t n, const float *restrict bias,
    const float *x, float *y) {
#define INPUT (x[i] + bias[i])
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    ACTIVATION_SWITCH
  }
#undef INPUT
}

#define GRADIENT_LOOP(expression)                                            \
  PARALLEL for (size_t i = 0; i < n; i++) {                             \
    float k_ = known[i];                                                     \
    dx[i] = (expression);                                                    \
  }                                                                          \
  break;

static void KERNEL(activation_gradient)(
    apus_activation f, float slope, size_t n, const float *known, const float *dy, float *dx) {
  switch (f) {
    case apus_activation_identity:
      PARALLEL for (size_t i = 0; i < n; i++) dx[i] = dy[i];
      break;
    case apus_activation_relu: GRADIENT_LOOP(k_ > 0 ? dy[i] : 0)
    case apus_activation_leaky_relu: GRADIENT_LOOP(k_ > 0 ? dy[i] : slope * dy[i])
    case apus_activation_sigmoid: GRADIENT_LOOP(dy[i] * (k_ * (1 - k_)))
    case apus_activation_tanh: GRADIENT_LOOP(dy[i] * (1 - k_ * k_))
    case apus_activation_gelu: GRADIENT_LOOP(dy[i] * gelu_slope(k_))
    case apus_activation_gelu_tanh: GRADIENT_LOOP(dy[i] * gelu_tanh_slope(k_))
    case apus_activation_silu: GRADIENT_LOOP(dy[i] * silu_slope(k_))
  }
}
