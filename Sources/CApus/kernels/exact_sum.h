// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// The rounding below is lost if the compiler simplifies it, or fuses the product into it.
FP_AS_WRITTEN

// 1.5 * 2^52. Adding it to |v| <= 2^51 leaves no bits for a fraction, so v is rounded to an integer, which
// then is the difference of the bit patterns.
#define MAGIC 6755399441055744.0

INLINE uint64_t bits_of_double(double d) {
  uint64_t i;
  __builtin_memcpy(&i, &d, 8);
  return i;
}

INLINE uint32_t bits_of_magnitude(float f) {
  uint32_t i;
  __builtin_memcpy(&i, &f, 4);
  return i & 0x7fffffff;
}

static uint32_t KERNEL(exact_add)(
    size_t n, uint64_t *restrict sum, const float *restrict x, double scale) {
  uint32_t top = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t m = bits_of_magnitude(x[i]);
    top = m > top ? m : top;
    sum[i] += bits_of_double((double)x[i] * scale + MAGIC) - bits_of_double(MAGIC);
  }
  return top;
}

static void KERNEL(exact_subtract)(
    size_t n, uint64_t *restrict sum, const float *restrict x, double scale) {
  for (size_t i = 0; i < n; i++) sum[i] -= bits_of_double((double)x[i] * scale + MAGIC) - bits_of_double(MAGIC);
}

#define UPDATE(k) \
  const float *restrict x##k = xs[k]; \
  double s##k = scales[k]
#define UPDATES \
  UPDATE(0); UPDATE(1); UPDATE(2); UPDATE(3); UPDATE(4); UPDATE(5); UPDATE(6); UPDATE(7)
#define TERM(k) bits_of_double((double)x##k[i] * s##k + MAGIC)
#define TERMS \
  (TERM(0) + TERM(1) + TERM(2) + TERM(3) + TERM(4) + TERM(5) + TERM(6) + TERM(7) - 8 * bits_of_double(MAGIC))
#define SEE(k) \
  do { \
    uint32_t m = bits_of_magnitude(x##k[i]); \
    top = m > top ? m : top; \
  } while (0)

// Eight updates at once, so that the accumulator is read and written once. Not in blocks: every stream
// would begin anew in each of them, and nothing is gained.
static uint32_t KERNEL(exact_add8)(
    size_t n, uint64_t *restrict sum, const float *const *xs, const double *scales) {
  UPDATES;
  uint32_t top = 0;
  for (size_t i = 0; i < n; i++) {
    SEE(0); SEE(1); SEE(2); SEE(3); SEE(4); SEE(5); SEE(6); SEE(7);
    sum[i] += TERMS;
  }
  return top;
}

static void KERNEL(exact_subtract8)(
    size_t n, uint64_t *restrict sum, const float *const *xs, const double *scales) {
  UPDATES;
  for (size_t i = 0; i < n; i++) sum[i] -= TERMS;
}

static void KERNEL(exact_merge)(
    size_t n, uint64_t *restrict sum, const uint64_t *restrict other) {
  for (size_t i = 0; i < n; i++) sum[i] += other[i];
}

static void KERNEL(exact_mean)(
    size_t n, const uint64_t *restrict sum, double divisor, float *restrict mean) {
  for (size_t i = 0; i < n; i++) mean[i] = (float)((double)(int64_t)sum[i] / divisor);
}

static uint64_t KERNEL(exact_greatest)(size_t n, const uint64_t *restrict sum) {
  uint64_t top = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t m = (int64_t)sum[i] < 0 ? 0 - sum[i] : sum[i];
    top = m > top ? m : top;
  }
  return top;
}
