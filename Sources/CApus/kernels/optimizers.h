// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Memory is the limit here, so fused multiply-adds would win nothing, and cost equal bits.
FP_AS_WRITTEN

static void KERNEL(sgd_step)(
    size_t n, float *restrict x, const float *restrict g, float rate, float decay) {
  if (decay == 0) {
    for (size_t i = 0; i < n; i++) x[i] -= rate * g[i];
  } else {
    for (size_t i = 0; i < n; i++) x[i] -= rate * (g[i] + decay * x[i]);
  }
}

static void KERNEL(momentum_step)(
    size_t n, float *restrict x, const float *restrict g, float *restrict velocity, float rate,
    float momentum, float decay, int nesterov) {
  if (nesterov) {
    for (size_t i = 0; i < n; i++) {
      float d = g[i] + decay * x[i];
      float next = momentum * velocity[i] + d;
      velocity[i] = next;
      x[i] -= rate * (d + momentum * next);
    }
  } else {
    for (size_t i = 0; i < n; i++) {
      float next = momentum * velocity[i] + (g[i] + decay * x[i]);
      velocity[i] = next;
      x[i] -= rate * next;
    }
  }
}

static void KERNEL(adam_step)(
    size_t n, float *restrict x, const float *restrict g, float *restrict m, float *restrict v,
    float rate, float decay, float shrink, float gain1, float beta2, float gain2, float correction,
    float epsilon) {
  for (size_t i = 0; i < n; i++) {
    float d = g[i] + decay * x[i];
    float first = m[i] + gain1 * (d - m[i]);
    float second = beta2 * v[i] + gain2 * d * d;
    m[i] = first;
    v[i] = second;
    float scale = __builtin_elementwise_sqrt(second) / correction + epsilon;
    x[i] = shrink * x[i] - rate * (first / scale);
  }
}
