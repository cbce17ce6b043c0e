// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#include "apus_memory.h"

#include <stdlib.h>

#if defined(__GLIBC__)
#include <malloc.h>

void apus_memory_share_arena(void) { mallopt(M_ARENA_MAX, 1); }
void apus_memory_give_back(void) { malloc_trim(0); }
#else
void apus_memory_share_arena(void) {}
void apus_memory_give_back(void) {}
#endif
