// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#ifndef APUS_EXACT_SUM_H
#define APUS_EXACT_SUM_H

#include <stddef.h>
#include <stdint.h>

// Sums of fixed-point integers. n: how many coordinates; sum: the accumulator, in two's complement;
// x: an update; scale: what makes units of its coordinates. Every instruction set gives the same bits.
//
// round(v) is the nearest integer, ties to even, for |v| <= 2^51. For any other v, infinite ones and NaN
// too, it is some 64-bit pattern that depends on v alone, and arithmetic wraps: so to subtract what was
// added brings the old sum back in every case.

/// sum[i] += round(x[i] * scale). Returns the greatest |x[i]| as IEEE 754 bits, which for infinity and
/// NaN are above those of every finite number; the sum is meaningful only if that is within the bound.
uint32_t apus_exact_add(size_t n, uint64_t *sum, const float *x, double scale);

/// sum[i] -= round(x[i] * scale).
void apus_exact_subtract(size_t n, uint64_t *sum, const float *x, double scale);

/// sum[i] += the sum over the eight updates of round(xs[j][i] * scales[j]); returns as apus_exact_add.
uint32_t apus_exact_add8(size_t n, uint64_t *sum, const float *const *xs, const double *scales);

/// sum[i] -= the sum over the eight updates of round(xs[j][i] * scales[j]).
void apus_exact_subtract8(
    size_t n, uint64_t *sum, const float *const *xs, const double *scales);

/// sum[i] += other[i].
void apus_exact_merge(size_t n, uint64_t *sum, const uint64_t *other);

/// mean[i] = sum[i] / divisor; sum in two's complement.
void apus_exact_mean(size_t n, const uint64_t *sum, double divisor, float *mean);

/// The greatest |sum[i]|, sum in two's complement.
uint64_t apus_exact_greatest(size_t n, const uint64_t *sum);

#endif
