// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

FP_EXPRESSIONS

static void KERNEL(fill)(size_t n, float value, float *y) {
  for (size_t i = 0; i < n; i++) y[i] = value;
}

static void KERNEL(affine)(size_t n, float alpha, float beta, const float *x, float *y) {
FP_FUSED
  PARALLEL for (size_t i = 0; i < n; i++) y[i] = alpha * x[i] + beta;
}

static void KERNEL(sink)(size_t n, float alpha, const float *x, float beta, float *y) {
FP_FUSED
  if (beta == 0) {
    PARALLEL for (size_t i = 0; i < n; i++) y[i] = alpha * x[i];
  } else if (beta == 1) {
    PARALLEL for (size_t i = 0; i < n; i++) y[i] += alpha * x[i];
  } else {
    PARALLEL for (size_t i = 0; i < n; i++) y[i] = beta * y[i] + alpha * x[i];
  }
}

// One loop per operator; A and B are the two numbers, as expressions in i.
#define BINARY_LOOP(n, A, B, y, expression)          \
  PARALLEL for (size_t i = 0; i < (n); i++) {   \
    float a_ = (A), b_ = (B);                        \
    (y)[i] = (expression);                           \
  }                                                  \
  break;
#define BINARY_SWITCH(op, n, A, B, y)                                           \
  switch (op) {                                                                 \
    case apus_operator_add: BINARY_LOOP(n, A, B, y, a_ + b_)                    \
    case apus_operator_subtract: BINARY_LOOP(n, A, B, y, a_ - b_)               \
    case apus_operator_subtract_from: BINARY_LOOP(n, A, B, y, b_ - a_)          \
    case apus_operator_multiply: BINARY_LOOP(n, A, B, y, a_ * b_)               \
    case apus_operator_divide: BINARY_LOOP(n, A, B, y, a_ / b_)                 \
    case apus_operator_divide_into: BINARY_LOOP(n, A, B, y, b_ / a_)            \
  }

static void KERNEL(binary)(
    apus_operator op, size_t n, const float *a, const float *b, float *y) {
  BINARY_SWITCH(op, n, a[i], b[i], y)
}

static void KERNEL(binary_scalar)(
    apus_operator op, size_t n, const float *a, float b, float *y) {
  BINARY_SWITCH(op, n, a[i], b, y)
}

static void KERNEL(binary_row)(
    apus_operator op, size_t rows, size_t n, const float *a, const float *restrict b, float *y) {
  for (size_t r = 0; r < rows; r++, a += n, y += n) {
    BINARY_SWITCH(op, n, a[i], b[i], y)
  }
}

static void KERNEL(binary_column)(
    apus_operator op, size_t rows, size_t n, const float *a, const float *restrict b, float *y) {
  for (size_t r = 0; r < rows; r++, a += n, y += n) {
    float scalar = b[r];
    BINARY_SWITCH(op, n, a[i], scalar, y)
  }
}

static void KERNEL(negate)(size_t n, const float *x, float *y) {
  PARALLEL for (size_t i = 0; i < n; i++) y[i] = -x[i];
}

static void KERNEL(exp)(size_t n, const float *x, float *y) {
  PARALLEL for (size_t i = 0; i < n; i++) y[i] = exponential(x[i]);
}

static void KERNEL(log)(size_t n, const float *x, float *y) {
  PARALLEL for (size_t i = 0; i < n; i++) y[i] = logarithm(x[i]);
}

static void KERNEL(sqrt)(size_t n, const float *x, float *y) {
  PARALLEL for (size_t i = 0; i < n; i++) y[i] = __builtin_elementwise_sqrt(x[i]);
}

static void KERNEL(sqrt_gradient)(size_t n, const float *y, const float *dy, float *dx) {
  PARALLEL for (size_t i = 0; i < n; i++) dx[i] = dy[i] * 0.5f / y[i];
}

// x^k by squaring, for 0 ≤ k ≤ 64, in a fixed number of steps.
INLINE float integer_power(float x, uint32_t k) {
  float y = 1;
#pragma clang loop unroll(full)
  for (uint32_t bit = 1; bit <= 64; bit <<= 1) {
    y = k & bit ? y * x : y;
    x *= x;
  }
  return y;
}

// dx = dy p x^e, where dy = 1 and p = 1 give the power itself; dy may be NULL for that.
INLINE void scaled_power(
    size_t n, float p, float e, const float *x, const float *dy, float *y) {
#define POWER_LOOP(expression)                       \
  PARALLEL for (size_t i = 0; i < n; i++) {     \
    float x_ = x[i];                                 \
    float s_ = dy ? dy[i] * p : p;                   \
    y[i] = s_ * (expression);                        \
  }
  if (e == 0) {
    POWER_LOOP(1 + 0 * x_)
  } else if (e == 1) {
    POWER_LOOP(x_)
  } else if (e == 2) {
    POWER_LOOP(x_ * x_)
  } else if (e == 3) {
    POWER_LOOP(x_ * x_ * x_)
  } else if (e == -1) {
    POWER_LOOP(1 / x_)
  } else if (e == 0.5f) {
    POWER_LOOP(__builtin_elementwise_sqrt(x_))
  } else if (e == -0.5f) {
    POWER_LOOP(1 / __builtin_elementwise_sqrt(x_))
  } else if (e >= -64 && e <= 64 && e == (float)(int32_t)e) {
    uint32_t k = (uint32_t)(e < 0 ? -(int32_t)e : (int32_t)e);
    if (e < 0) {
      POWER_LOOP(1 / integer_power(x_, k))
    } else {
      POWER_LOOP(integer_power(x_, k))
    }
  } else {
    POWER_LOOP(exponential(e * logarithm(x_)))
  }
#undef POWER_LOOP
}

static void KERNEL(power)(size_t n, float p, const float *x, float *y) {
  if (p == 0) {
    KERNEL(fill)(n, 1, y);
  } else {
    scaled_power(n, 1, p, x, NULL, y);
  }
}

static void KERNEL(power_gradient)(
    size_t n, float p, const float *x, const float *dy, float *dx) {
  if (p == 0) {
    KERNEL(fill)(n, 0, dx);
  } else if (p == 1) {
    KERNEL(affine)(n, 1, 0, dy, dx);
  } else {
    scaled_power(n, p, p - 1, x, dy, dx);
  }
}
