// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

FP_EXPRESSIONS

enum { LANES_OF_PHILOX = 16 };  // blocks made side by side

// Ten rounds of Philox4x32 on the counters (block + 0..<LANES_OF_PHILOX, nonce); words[4 l + k] is word k of
// block l.
//
// J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw. "Parallel random numbers: as easy as 1, 2,
// 3." SC 2011.
INLINE void philox(uint64_t key, uint64_t nonce, uint64_t block, uint32_t *restrict words) {
  uint32_t c0[LANES_OF_PHILOX], c1[LANES_OF_PHILOX], c2[LANES_OF_PHILOX], c3[LANES_OF_PHILOX];
  for (int l = 0; l < LANES_OF_PHILOX; l++) {
    uint64_t counter = block + (uint64_t)l;
    c0[l] = (uint32_t)counter;
    c1[l] = (uint32_t)(counter >> 32);
    c2[l] = (uint32_t)nonce;
    c3[l] = (uint32_t)(nonce >> 32);
  }
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    for (int l = 0; l < LANES_OF_PHILOX; l++) {
      uint64_t p0 = (uint64_t)c0[l] * 0xD2511F53u, p1 = (uint64_t)c2[l] * 0xCD9E8D57u;
      c0[l] = (uint32_t)(p1 >> 32) ^ c1[l] ^ k0;
      c1[l] = (uint32_t)p1;
      c2[l] = (uint32_t)(p0 >> 32) ^ c3[l] ^ k1;
      c3[l] = (uint32_t)p0;
    }
  }
  for (int l = 0; l < LANES_OF_PHILOX; l++) {
    words[4 * l] = c0[l];
    words[4 * l + 1] = c1[l];
    words[4 * l + 2] = c2[l];
    words[4 * l + 3] = c3[l];
  }
}

static void KERNEL(dropout)(
    size_t n, uint64_t key, uint64_t nonce, uint64_t threshold, float scale, const float *x,
    float *y) {
  if (threshold > UINT32_MAX) {
    for (size_t i = 0; i < n; i++) y[i] = 0;
    return;
  }
  uint32_t limit = (uint32_t)threshold, words[4 * LANES_OF_PHILOX];
  for (size_t first = 0; first < n; first += 4 * LANES_OF_PHILOX) {
    size_t count = n - first < 4 * LANES_OF_PHILOX ? n - first : 4 * LANES_OF_PHILOX;
    philox(key, nonce, first / 4, words);
    const float *from = x + first;
    float *to = y + first;
    PARALLEL for (size_t i = 0; i < count; i++) {
      to[i] = words[i] >= limit ? scale * from[i] : 0;
    }
  }
}
