// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// One body per instruction set, each with the tile that its registers hold, and a table to choose from.
// (target_clones would give every set the same tile; see docs/Performance.md.)

#include "apus_products.h"

#include <stddef.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#pragma clang fp contract(fast)

#define CAT_(a, b) a##_##b
#define CAT(a, b) CAT_(a, b)
#define AI static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define SHUFFLE __builtin_shufflevector

#define SET baseline
#define VL 4
#define ROWS 6
#define DOTS 5
#include "products_body.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define SET avx2
#define VL 8
#define ROWS 6
#define DOTS 5
#include "products_body.h"
#pragma clang attribute pop

// Without min_vector_width clang splits 64-byte vectors in two and runs out of registers.
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4"), min_vector_width(512))), apply_to = function)
#define SET avx512
#define VL 16
#define ROWS 14
#define DOTS 10
#include "products_body.h"
#pragma clang attribute pop
#endif

static const struct apus_product_set sets[] = {
    {"baseline", 0, product_baseline, transposed_product_baseline},
#if defined(__x86_64__)
    {"avx2", 1, product_avx2, transposed_product_avx2},
    {"avx512", 1, product_avx512, transposed_product_avx512},
#endif
};

static int runnable_count(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) return 3;
  if (__builtin_cpu_supports("x86-64-v3")) return 2;
#endif
  return 1;
}

const struct apus_product_set *apus_product_set(int ordinal) {
  return ordinal >= 0 && ordinal < runnable_count() ? &sets[ordinal] : NULL;
}

const struct apus_product_set *apus_best_product_set(void) { return &sets[runnable_count() - 1]; }
