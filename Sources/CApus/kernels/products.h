// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// Matrix products of a training step; VL, ROWS and DOTS are the set's.
//
// Letters: M rows of the left matrix, N columns of the right one, D depth, what is summed over.
// A tile keeps up to ROWS × 2 vectors of the result in registers and streams the right matrix once.
// ROWS is 6 or 14: 12 or 28 sums, two vectors of b and one number of a fill 16 or 32 registers.
//
// An element of a result is summed over the depth in rising order, whatever the tile; one of a
// transposed product in VL parts, which are then added up pair by pair.

FP_FUSED

typedef float V __attribute__((vector_size(VL * 4)));
typedef float U __attribute__((vector_size(VL * 4), aligned(4)));
typedef int I __attribute__((vector_size(VL * 4)));

// The first `part` floats at p, zeros behind them; part = VL is the whole vector.
#if VL == 16
INLINE V load(const float *p, int part) {
  return part == VL ? *(const U *)p : (V)_mm512_maskz_loadu_ps((__mmask16)((1u << part) - 1), p);
}
INLINE void store(float *p, int part, V v) {
  if (part == VL) *(U *)p = v;
  else _mm512_mask_storeu_ps(p, (__mmask16)((1u << part) - 1), (__m512)v);
}
#elif VL == 8
INLINE __m256i mask(int part) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(part), lanes);
}
INLINE V load(const float *p, int part) {
  return part == VL ? *(const U *)p : (V)_mm256_maskload_ps(p, mask(part));
}
INLINE void store(float *p, int part, V v) {
  if (part == VL) *(U *)p = v;
  else _mm256_maskstore_ps(p, mask(part), (__m256)v);
}
#else
INLINE V load(const float *p, int part) {
  if (part == VL) return *(const U *)p;
  V v = {0};
  for (int i = 0; i < part; i++) v[i] = p[i];
  return v;
}
INLINE void store(float *p, int part, V v) {
  if (part == VL) *(U *)p = v;
  else
    for (int i = 0; i < part; i++) p[i] = v[i];
}
#endif

// c[rows × (vectors · VL)] = start + Σ over segments of a · b. rows and vectors are constants after
// inlining; part < VL only with one vector.
INLINE void tile(
    int rows, int vectors, int part, const struct apus_product *p, long a_row, const float *a,
    const float *b, const float *bias, float *c) {
  V sum[ROWS][2];
  if (p->start == APUS_FROM_ZERO) {
    UNROLL for (int r = 0; r < rows; r++)
      UNROLL for (int j = 0; j < vectors; j++) sum[r][j] = (V){0};
  } else {
    UNROLL for (int r = 0; r < rows; r++)
      UNROLL for (int j = 0; j < vectors; j++) sum[r][j] = load(c + r * p->c_row + j * VL, part);
  }
  const long a_step = p->a_step, b_row = p->b_row;
  for (long s = 0; s < p->segments; s++) {
    const float *left = a + s * p->a_segment, *right = b + s * p->b_segment;
    for (long d = p->depth; d > 0; d--, left += a_step, right += b_row) {
      V v[2];
      UNROLL for (int j = 0; j < vectors; j++) v[j] = load(right + j * VL, part);
      UNROLL for (int r = 0; r < rows; r++) {
        const float x = left[r * a_row];
        UNROLL for (int j = 0; j < vectors; j++) sum[r][j] += v[j] * x;
      }
    }
  }
  if (p->bias) {
    UNROLL for (int j = 0; j < vectors; j++) {
      const V last = load(bias + j * VL, part);
      UNROLL for (int r = 0; r < rows; r++) sum[r][j] = sum[r][j] + last;
    }
  }
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int j = 0; j < vectors; j++) {
    V v = sum[r][j];
    // Keeps what is not a number, so that it shows.
    if (p->rectify) v = (V)((I)v & ~(I)(v < 0));
    store(c + r * p->c_row + j * VL, part, v);
  }
}

// All columns of some rows: tiles of two vectors, then one, then what is left.
INLINE void strip(
    int rows, const struct apus_product *p, long a_row, const float *a, float *c) {
  long n = p->columns;
  const float *b = p->b, *bias = p->bias;
  for (; n >= 2 * VL; n -= 2 * VL, b += 2 * VL, bias += 2 * VL, c += 2 * VL)
    tile(rows, 2, VL, p, a_row, a, b, bias, c);
  if (n >= VL) {
    tile(rows, 1, VL, p, a_row, a, b, bias, c);
    n -= VL, b += VL, bias += VL, c += VL;
  }
  if (n > 0) tile(rows, 1, (int)n, p, a_row, a, b, bias, c);
}

// The rows, in strips of nearly the same height, so that no strip is left with one or two.
INLINE void strips(const struct apus_product *p, long a_row) {
  const float *a = p->a;
  float *c = p->c;
  for (long m = p->rows, strips = (m + ROWS - 1) / ROWS; m > 0; strips--) {
    const long height = (m + strips - 1) / strips;
    switch (height) {
#define STRIP(count) case count: strip(count, p, a_row, a, c); break;
      STRIP(1) STRIP(2) STRIP(3) STRIP(4) STRIP(5) STRIP(6)
#if ROWS == 14
      STRIP(7) STRIP(8) STRIP(9) STRIP(10) STRIP(11) STRIP(12) STRIP(13) STRIP(14)
#endif
#undef STRIP
    }
    m -= height, a += height * a_row, c += height * p->c_row;
  }
}

// Columns of b that stay in the second-level cache while every strip of rows meets them.
INLINE void blocks(const struct apus_product *p, long a_row) {
  const long deep = p->depth * p->segments;
  long block = 65536 / (deep > 0 ? deep : 1) / (2 * VL) * (2 * VL);
  if (block < 2 * VL) block = 2 * VL;
  if (p->rows <= ROWS || p->columns <= block) {
    strips(p, a_row);
    return;
  }
  struct apus_product part = *p;
  for (long first = 0; first < p->columns; first += block) {
    part.columns = p->columns - first < block ? p->columns - first : block;
    part.b = p->b + first;
    part.c = p->c + first;
    if (p->bias) part.bias = p->bias + first;
    strips(&part, a_row);
  }
}

// Deep products in layers: the rows of a layer of b are few enough to be neighbours in memory, while a tile
// that goes down all of b meets a new page at every other row. What was summed is kept in c between layers,
// so that every element is summed in the same order, to the same bits.
INLINE void layers(const struct apus_product *p) {
  if (p->segments != 1 || p->depth < 4 * LAYER || p->columns < 4 * VL) {
    blocks(p, p->a_row);
    return;
  }
  struct apus_product part = *p;
  part.bias = NULL;
  part.rectify = 0;
  for (long first = 0; first < p->depth; first += LAYER) {
    part.depth = p->depth - first < LAYER ? p->depth - first : LAYER;
    part.a = p->a + first * p->a_step;
    part.b = p->b + first * p->b_row;
    if (first + part.depth == p->depth) {
      part.bias = p->bias;
      part.rectify = p->rectify;
    }
    blocks(&part, p->a_row);
    part.start = APUS_FROM_RESULT;
  }
}

static void KERNEL(multiply)(const struct apus_product *p) {
  // A transposed matrix, whose rows are one number apart, needs no register for each row.
  if (p->a_row == 1) blocks(p, 1);
  else layers(p);
}

// The sums of VL vectors, as one vector: a tree of transposing additions.
#if VL == 16
INLINE V sums(const V *v) {
  V a[8], b[4], c[2];
  UNROLL for (int i = 0; i < 8; i++)
    a[i] = SHUFFLE(v[2*i], v[2*i+1], 0,16,2,18,4,20,6,22,8,24,10,26,12,28,14,30)
         + SHUFFLE(v[2*i], v[2*i+1], 1,17,3,19,5,21,7,23,9,25,11,27,13,29,15,31);
  UNROLL for (int i = 0; i < 4; i++)
    b[i] = SHUFFLE(a[2*i], a[2*i+1], 0,1,16,17,4,5,20,21,8,9,24,25,12,13,28,29)
         + SHUFFLE(a[2*i], a[2*i+1], 2,3,18,19,6,7,22,23,10,11,26,27,14,15,30,31);
  UNROLL for (int i = 0; i < 2; i++)
    c[i] = SHUFFLE(b[2*i], b[2*i+1], 0,1,2,3,16,17,18,19,8,9,10,11,24,25,26,27)
         + SHUFFLE(b[2*i], b[2*i+1], 4,5,6,7,20,21,22,23,12,13,14,15,28,29,30,31);
  return SHUFFLE(c[0], c[1], 0,1,2,3,4,5,6,7,16,17,18,19,20,21,22,23)
       + SHUFFLE(c[0], c[1], 8,9,10,11,12,13,14,15,24,25,26,27,28,29,30,31);
}
#elif VL == 8
INLINE V sums(const V *v) {
  V a[4], b[2];
  UNROLL for (int i = 0; i < 4; i++)
    a[i] = SHUFFLE(v[2*i], v[2*i+1], 0,8,2,10,4,12,6,14) + SHUFFLE(v[2*i], v[2*i+1], 1,9,3,11,5,13,7,15);
  UNROLL for (int i = 0; i < 2; i++)
    b[i] = SHUFFLE(a[2*i], a[2*i+1], 0,1,8,9,4,5,12,13) + SHUFFLE(a[2*i], a[2*i+1], 2,3,10,11,6,7,14,15);
  return SHUFFLE(b[0], b[1], 0,1,2,3,8,9,10,11) + SHUFFLE(b[0], b[1], 4,5,6,7,12,13,14,15);
}
#else
INLINE V sums(const V *v) {
  V a[2];
  UNROLL for (int i = 0; i < 2; i++)
    a[i] = SHUFFLE(v[2*i], v[2*i+1], 0,4,2,6) + SHUFFLE(v[2*i], v[2*i+1], 1,5,3,7);
  return SHUFFLE(a[0], a[1], 0,1,4,5) + SHUFFLE(a[0], a[1], 2,3,6,7);
}
#endif

// c[rows × pair] = a · bᵀ: dot products along contiguous memory, summed across at the end.
INLINE void dots(
    int rows, int pair, const struct apus_product *p, const float *a, const float *b, float *c) {
  V sum[DOTS][2];
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int j = 0; j < pair; j++) sum[r][j] = (V){0};
  const long a_row = p->a_row, b_row = p->b_row, whole = p->depth - p->depth % VL;
  for (long d = 0; d < whole; d += VL) {
    V right[2];
    UNROLL for (int j = 0; j < pair; j++) right[j] = *(const U *)(b + j * b_row + d);
    UNROLL for (int r = 0; r < rows; r++) {
      const V left = *(const U *)(a + r * a_row + d);
      UNROLL for (int j = 0; j < pair; j++) sum[r][j] += left * right[j];
    }
  }
  const int part = (int)(p->depth - whole);
  if (part > 0) {
    V right[2];
    UNROLL for (int j = 0; j < pair; j++) right[j] = load(b + j * b_row + whole, part);
    UNROLL for (int r = 0; r < rows; r++) {
      const V left = load(a + r * a_row + whole, part);
      UNROLL for (int j = 0; j < pair; j++) sum[r][j] += left * right[j];
    }
  }
  UNROLL for (int first = 0; first < rows * pair; first += VL) {
    V group[VL];
    UNROLL for (int i = 0; i < VL; i++)
      group[i] = first + i < rows * pair ? sum[(first + i) / pair][(first + i) % pair] : (V){0};
    const V totals = sums(group);
    UNROLL for (int i = 0; i < VL; i++)
      if (first + i < rows * pair)
        c[(first + i) / pair * p->c_row + (first + i) % pair] = totals[i];
  }
}

INLINE void dot_strip(
    int rows, const struct apus_product *p, const float *a, const float *b, long columns, float *c) {
  for (; columns >= 2; columns -= 2, b += 2 * p->b_row, c += 2) dots(rows, 2, p, a, b, c);
  if (columns > 0) dots(rows, 1, p, a, b, c);
}

// Blocks of b's rows that stay in the first-level cache while every row of a meets them.
static void KERNEL(multiply_transposed)(const struct apus_product *p) {
  long block = 4096 / (p->depth > 0 ? p->depth : 1) & ~1L;
  if (block < 2) block = 2;
  for (long first = 0; first < p->columns; first += block) {
    const long columns = p->columns - first < block ? p->columns - first : block;
    const float *a = p->a, *b = p->b + first * p->b_row;
    float *c = p->c + first;
    long m = p->rows;
#define STRIPS(count) \
  for (; m >= count; m -= count, a += count * p->a_row, c += count * p->c_row) \
    dot_strip(count, p, a, b, columns, c);
    STRIPS(DOTS)
#if DOTS > 5
    STRIPS(5)
#endif
    STRIPS(2)
    STRIPS(1)
#undef STRIPS
  }
}

// Every combination that the others leave out, for where OpenBLAS may not be asked; its own plain loop.
static void KERNEL(multiply_any)(
    const struct apus_product *p, long b_step, float alpha, float beta) {
  for (long r = 0; r < p->rows; r++)
    for (long n = 0; n < p->columns; n++) {
      float sum = 0;
      for (long d = 0; d < p->depth; d++)
        sum += p->a[r * p->a_row + d * p->a_step] * p->b[d * p->b_row + n * b_step];
      float *c = p->c + r * p->c_row + n;
      *c = beta == 0 ? alpha * sum : alpha * sum + beta * *c;
    }
}
