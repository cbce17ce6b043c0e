// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// x86-64-v3: vectors of eight numbers and fused multiply-add.

#if defined(__x86_64__)

#include "apus_kernels.h"

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)

#define SET avx2
#define VL 8
#define ROWS 6
#define DOTS 5
#define LAYER 128
#define PORTABLE 0
#define OWN 1
#include "../kernels/kernels.h"

#pragma clang attribute pop
#endif
