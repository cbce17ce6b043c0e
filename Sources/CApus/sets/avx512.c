// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// x86-64-v4: vectors of sixteen numbers and twice as many registers.

#if defined(__x86_64__)

#include "apus_kernels.h"

#include <immintrin.h>

// Without min_vector_width clang splits 64-byte vectors in two and runs out of registers.
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4"), min_vector_width(512))), apply_to = function)

#define SET avx512
#define VL 16
#define ROWS 14
#define DOTS 10
#define LAYER 256
#define PORTABLE 0
#define OWN 1
#include "../kernels/kernels.h"

#pragma clang attribute pop
#endif
