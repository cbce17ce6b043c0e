// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// What a core can do at most: the loops that other measurements are held against.

#ifndef MACHINE_LIMITS_H
#define MACHINE_LIMITS_H

#include <stddef.h>

/// Multiplies and adds on registers alone, in the widest vectors of this machine.
///
/// - rounds: how often; each is `limits_fma_operations()` operations.
/// - seed: what the numbers begin with, so that nothing can be computed beforehand.
/// Returns a number that depends on all of them.
float limits_fma(long rounds, float seed);

/// Floating-point operations of one round; a multiply-add counts as two.
long limits_fma_operations(void);

/// a[i] = b[i] + s * c[i]: the triad of the STREAM benchmark, 12 bytes an element.
void limits_triad(size_t n, float s, const float *b, const float *c, float *a);

/// y[i] += s * x[i]: 12 bytes an element.
void limits_axpy(size_t n, float s, const float *x, float *y);

#endif
