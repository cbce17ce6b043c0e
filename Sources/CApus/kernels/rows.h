// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

FP_EXPRESSIONS

INLINE ptrdiff_t first_bad(size_t count, size_t rows, const int32_t *restrict indices) {
  for (size_t c = 0; c < count; c++) {
    if (indices[c] < 0 || (size_t)indices[c] >= rows) return (ptrdiff_t)c;
  }
  return -1;
}

static ptrdiff_t KERNEL(gather_rows)(
    size_t count, size_t width, size_t rows, const float *restrict table,
    const int32_t *restrict indices, float *restrict y) {
  ptrdiff_t bad = first_bad(count, rows, indices);
  if (bad >= 0) return bad;
  for (size_t c = 0; c < count; c++, y += width) {
    const float *restrict row = table + (size_t)indices[c] * width;
    for (size_t i = 0; i < width; i++) y[i] = row[i];
  }
  return -1;
}

static ptrdiff_t KERNEL(scatter_add_rows)(
    size_t count, size_t width, size_t rows, float alpha, const int32_t *restrict indices,
    const float *restrict x, float *restrict table) {
FP_FUSED
  ptrdiff_t bad = first_bad(count, rows, indices);
  if (bad >= 0) return bad;
  for (size_t c = 0; c < count; c++, x += width) {
    float *restrict row = table + (size_t)indices[c] * width;
    for (size_t i = 0; i < width; i++) row[i] += alpha * x[i];
  }
  return -1;
}
