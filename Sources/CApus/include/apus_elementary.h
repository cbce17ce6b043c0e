// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Logarithm, exponential, sine and cosine that have the same bits everywhere. The C library's have not:
// it has other ones for other processors and in other versions. Within 1 unit in the last place.

#ifndef APUS_ELEMENTARY_H
#define APUS_ELEMENTARY_H

/// ln x; -infinity at 0, NaN below.
double apus_elementary_log(double x);
/// e^x; 0 and infinity where it leaves the range of normal numbers.
double apus_elementary_exp(double x);
/// Sine and cosine of x, |x| ≤ 2^20.
void apus_elementary_sincos(double x, double *sine, double *cosine);

#endif
