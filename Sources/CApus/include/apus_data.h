// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#ifndef APUS_DATA_H
#define APUS_DATA_H

#include <stddef.h>
#include <stdint.h>

/// y[i] = x[i] * scale + offset, for i in 0..<n.
void apus_numbers_from_bytes(size_t n, const uint8_t *x, float scale, float offset, float *y);

/// y[i][c] = x[c][i], for i in 0..<n and c in 0..<planes: channels last from channels first.
void apus_interleave_planes(size_t n, size_t planes, const uint8_t *x, uint8_t *y);

#endif
