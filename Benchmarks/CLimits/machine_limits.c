// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#include "machine_limits.h"

#pragma clang fp contract(fast)

// More than latency times throughput of any core's multiply-add, and no more than it has registers for.
enum { CHAINS = 12, STEPS = 64 };

#define UNROLL _Pragma("clang loop unroll(full)")

// Both factors are arguments, and each chain depends on itself: the compiler can only do the work.
#define FMA(set, lanes) \
  typedef float vector_##set __attribute__((vector_size(4 * lanes))); \
  static float fma_##set(long rounds, float seed) { \
    vector_##set chain[CHAINS], factor, term; \
    for (int k = 0; k < lanes; k++) factor[k] = 1 + seed * 1e-7f, term[k] = seed * 1e-9f; \
    UNROLL for (int j = 0; j < CHAINS; j++) chain[j] = factor + (float)j; \
    for (long r = 0; r < rounds * STEPS; r++) { \
      UNROLL for (int j = 0; j < CHAINS; j++) chain[j] = chain[j] * factor + term; \
    } \
    float sum = 0; \
    UNROLL for (int j = 0; j < CHAINS; j++) \
      for (int k = 0; k < lanes; k++) sum += chain[j][k]; \
    return sum; \
  }

FMA(baseline, 4)

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
FMA(avx2, 8)
#pragma clang attribute pop
// Without min_vector_width clang splits 64-byte vectors in two.
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4"), min_vector_width(512))), apply_to = function)
FMA(avx512, 16)
#pragma clang attribute pop
#endif

static int lanes(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) return 16;
  if (__builtin_cpu_supports("x86-64-v3")) return 8;
#endif
  return 4;
}

long limits_fma_operations(void) { return 2L * STEPS * CHAINS * lanes(); }

float limits_fma(long rounds, float seed) {
#if defined(__x86_64__)
  if (lanes() == 16) return fma_avx512(rounds, seed);
  if (lanes() == 8) return fma_avx2(rounds, seed);
#endif
  return fma_baseline(rounds, seed);
}

#if defined(__x86_64__) && defined(__gnu_linux__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

CLONES void limits_triad(
    size_t n, float s, const float *restrict b, const float *restrict c, float *restrict a) {
  for (size_t i = 0; i < n; i++) a[i] = b[i] + s * c[i];
}

CLONES void limits_axpy(size_t n, float s, const float *restrict x, float *restrict y) {
  for (size_t i = 0; i < n; i++) y[i] += s * x[i];
}
