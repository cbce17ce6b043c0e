// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

FP_EXPRESSIONS

static void KERNEL(numbers_from_bytes)(
    size_t n, const uint8_t *restrict x, float scale, float offset, float *restrict y) {
  for (size_t i = 0; i < n; i++) y[i] = (float)x[i] * scale + offset;
}

static void KERNEL(interleave_planes)(
    size_t n, size_t planes, const uint8_t *restrict x, uint8_t *restrict y) {
  for (size_t i = 0; i < n; i++)
    for (size_t c = 0; c < planes; c++) y[i * planes + c] = x[c * n + i];
}
