// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Counts what a thread allocates. For tests: linking it replaces malloc and its siblings for the whole
// process, where the C library allows it (glibc).

#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stddef.h>

/// Whether allocations are counted here.
int allocation_counter_works(void);
/// Begins to count at 0: what this thread asks for, from so many bytes on.
void allocation_counter_begin(size_t at_least);
/// How many times this thread has asked for memory since.
size_t allocation_count(void);

#endif
