// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// All kernels, written once and compiled once for each instruction set by a file of ../sets, which says:
//   SET      the name of the set
//   VL       floats in a vector of the products
//   ROWS     rows of a product's tile
//   DOTS     rows of a tile of dot products: DOTS × 2 accumulators
//   LAYER    how deep a product goes at once
//   PORTABLE 1 where the bytes must be the same on every processor, else 0
//   OWN      1 where our own products are to be taken before OpenBLAS's, else 0
//
// Every kernel is a static function KERNEL(name), and the table at the end has them all. dispatch.c calls
// them through the table of the set in use.

#define KERNEL(name) kernel_##name

// Helpers must be inlined to be compiled as the function that calls them.
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define SHUFFLE __builtin_shufflevector

// The iterations of the loop that follows are independent. Unlike `restrict`, this allows an output
// that is the very buffer of an input.
#define PARALLEL _Pragma("clang loop vectorize(assume_safety)")

// How freely the compiler may round, for the rest of a block or of a file. A portable set is rounded
// operation by operation in the order that is written: no fused multiply-add, which not every processor
// has, and no sum in as many parts as a vector happens to have.
#define FP_AS_WRITTEN _Pragma("clang fp contract(off) reassociate(off)")
#if PORTABLE
#define FP_EXPRESSIONS FP_AS_WRITTEN
#define FP_FUSED FP_AS_WRITTEN
#define FP_ANY_ORDER FP_AS_WRITTEN
#define FP_ANY_ORDER_FUSED FP_AS_WRITTEN
#else
// Multiply-adds within one expression; this is the language's default.
#define FP_EXPRESSIONS _Pragma("clang fp contract(on) reassociate(off)")
#define FP_FUSED _Pragma("clang fp contract(fast) reassociate(off)")
#define FP_ANY_ORDER _Pragma("clang fp reassociate(on)")
#define FP_ANY_ORDER_FUSED _Pragma("clang fp contract(fast) reassociate(on)")
#endif

// The first one is the others' mathematics.
#include "math.h"

#include "activation.h"
#include "data.h"
#include "dropout.h"
#include "elementwise.h"
#include "exact_sum.h"
#include "loss.h"
#include "magnitudes.h"
#include "normalization.h"
#include "optimizers.h"
#include "pooling.h"
#include "products.h"
#include "reduce.h"
#include "rows.h"
#include "strided.h"
#include "unfolding.h"

#define STRING_(name) #name
#define STRING(name) STRING_(name)
#define TABLE_(set) apus_kernels_##set
#define TABLE(set) TABLE_(set)
#define ENTRY(name) .name = KERNEL(name),

const struct apus_kernels TABLE(SET) = {
    .set_name = STRING(SET), .has_own_products = OWN, .is_portable = PORTABLE,
    APUS_KERNELS(ENTRY)};
