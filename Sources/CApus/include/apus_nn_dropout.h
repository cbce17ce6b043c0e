// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Dropout from a counter-based stream: the same (key, nonce) always drops the same elements, so
// that the backward pass needs no mask.

#ifndef APUS_NN_DROPOUT_H
#define APUS_NN_DROPOUT_H

#include <stddef.h>
#include <stdint.h>

/// y[i] = word i ≥ threshold ? scale x[i] : 0. Forward and backward; y may be x.
///
/// Word i is the 32-bit word i % 4 of block i / 4 of the Philox4x32-10 stream of (key, nonce),
/// which is the stream that `RandomStream` draws from. For a rate p, threshold is p · 2^32 (2^32
/// drops all) and scale 1 / (1 - p).
void apus_dropout(
    size_t n, uint64_t key, uint64_t nonce, uint64_t threshold, float scale, const float *x,
    float *y);

#endif
