// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#ifndef APUS_MAGNITUDES_H
#define APUS_MAGNITUDES_H

#include <stddef.h>
#include <stdint.h>

/// The greatest |x[i]| as IEEE 754 bits, which for infinity and NaN are above those of every finite number.
uint32_t apus_greatest_magnitude(size_t n, const float *x);

/// The sum of the squares of x, in an order that is the same for every instruction set.
double apus_squared_norm(size_t n, const float *x);

#endif
