// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#ifndef APUS_CLONES_H
#define APUS_CLONES_H

// A function that is compiled once per instruction set; the loader takes the best that the machine has.
// The thread sanitizer's start-up code cannot stand the mechanism (ifunc), so it gets the baseline.
#if defined(__x86_64__) && defined(__gnu_linux__) && !__has_feature(thread_sanitizer)
#define APUS_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define APUS_CLONES
#endif

// Helpers must be inlined to be compiled for the instruction set of the function that calls them.
#define APUS_INLINE static inline __attribute__((always_inline))

#endif
