// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Sums are taken in the order that is written, so that every instruction set gives the same bits. (The
// square of a float is exact in double, so a fused multiply-add could not change it.)
FP_AS_WRITTEN

static uint32_t KERNEL(greatest_magnitude)(size_t n, const float *restrict x) {
  uint32_t top = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t m;
    __builtin_memcpy(&m, &x[i], 4);
    m &= 0x7fffffff;
    top = m > top ? m : top;
  }
  return top;
}

enum { LANES = 32 };

static double KERNEL(squared_norm)(size_t n, const float *restrict x) {
  double lanes[LANES] = {0};
  size_t whole = n - n % LANES;
  for (size_t i = 0; i < whole; i += LANES) {
#pragma clang loop unroll(full)
    for (size_t j = 0; j < LANES; j++) lanes[j] += (double)x[i + j] * (double)x[i + j];
  }
  for (size_t i = whole; i < n; i++) lanes[i - whole] += (double)x[i] * (double)x[i];
  double sum = 0;
  for (size_t j = 0; j < LANES; j++) sum += lanes[j];
  return sum;
}
