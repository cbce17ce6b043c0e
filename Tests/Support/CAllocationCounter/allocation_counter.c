// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#include "allocation_counter.h"

#include <errno.h>
#include <stdlib.h>

// Sanitizers have allocators of their own.
#if defined(__GLIBC__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

static __thread size_t smallest;
static __thread size_t count;

static void note(size_t size) { count += size >= smallest; }

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t number, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
  note(size);
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  note(number * size);
  return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
  note(size);
  return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
  note(size);
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note(size);
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  note(size);
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}

int allocation_counter_works(void) { return 1; }
void allocation_counter_begin(size_t at_least) {
  smallest = at_least;
  count = 0;
}
size_t allocation_count(void) { return count; }

#else

int allocation_counter_works(void) { return 0; }
void allocation_counter_begin(size_t at_least) { (void)at_least; }
size_t allocation_count(void) { return 0; }

#endif
