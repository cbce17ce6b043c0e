// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

FP_EXPRESSIONS

enum { COLUMN_TILE = 64, ROW_BLOCK = 64 };  // columns in registers, rows summed before they join the total

// Adds up `width` ≤ COLUMN_TILE columns of `rows` rows that are `stride` apart.
INLINE void tile_sums(
    size_t rows, size_t width, size_t stride, const float *restrict x, float *restrict total) {
  float part[COLUMN_TILE];
  for (size_t i = 0; i < width; i++) total[i] = 0;
  for (size_t first = 0; first < rows; first += ROW_BLOCK) {
    size_t last = rows - first < ROW_BLOCK ? rows : first + ROW_BLOCK;
    for (size_t i = 0; i < width; i++) part[i] = 0;
    for (size_t r = first; r < last; r++) {
      const float *restrict row = x + r * stride;
      for (size_t i = 0; i < width; i++) part[i] += row[i];
    }
    for (size_t i = 0; i < width; i++) total[i] += part[i];
  }
}

// y = beta y + alpha × the sums of the columns; a whole tile has a width that the compiler knows.
INLINE void column_sums(
    size_t rows, size_t n, float alpha, const float *restrict x, float beta, float *restrict y) {
FP_FUSED
  float total[COLUMN_TILE];
  for (size_t first = 0; first < n; first += COLUMN_TILE) {
    size_t width = n - first < COLUMN_TILE ? n - first : COLUMN_TILE;
    if (width == COLUMN_TILE) {
      tile_sums(rows, COLUMN_TILE, n, x + first, total);
    } else {
      tile_sums(rows, width, n, x + first, total);
    }
    float *restrict to = y + first;
    if (beta == 0) {
      for (size_t i = 0; i < width; i++) to[i] = alpha * total[i];
    } else {
      for (size_t i = 0; i < width; i++) to[i] = beta * to[i] + alpha * total[i];
    }
  }
}

static void KERNEL(column_sums)(
    size_t rows, size_t n, float alpha, const float *restrict x, float beta, float *restrict y) {
  column_sums(rows, n, alpha, x, beta, y);
}

static void KERNEL(sum_axis)(
    size_t outer, size_t axis, size_t inner, float scale, const float *restrict x,
    float *restrict y) {
  for (size_t o = 0; o < outer; o++, x += axis * inner, y += inner) {
    if (inner == 1) {
FP_ANY_ORDER
      double sum = 0;
      for (size_t a = 0; a < axis; a++) sum += (double)x[a];
      y[0] = (float)(sum * (double)scale);
    } else {
      column_sums(axis, inner, scale, x, 0, y);
    }
  }
}

static void KERNEL(broadcast_axis)(
    size_t outer, size_t axis, size_t inner, float scale, const float *restrict dy,
    float *restrict dx) {
  for (size_t o = 0; o < outer; o++, dy += inner) {
    if (inner == 1) {
      float value = scale * dy[0];
      for (size_t a = 0; a < axis; a++) dx[a] = value;
      dx += axis;
    } else {
      for (size_t a = 0; a < axis; a++, dx += inner) {
        for (size_t i = 0; i < inner; i++) dx[i] = scale * dy[i];
      }
    }
  }
}

static void KERNEL(max_axis)(
    size_t outer, size_t axis, size_t inner, const float *restrict x, float *restrict y,
    int32_t *restrict where) {
  for (size_t o = 0; o < outer; o++, y += inner, where += inner) {
    for (size_t i = 0; i < inner; i++) {
      y[i] = x[i];
      where[i] = 0;
    }
    x += inner;
    for (size_t a = 1; a < axis; a++, x += inner) {
      for (size_t i = 0; i < inner; i++) {
        float best = y[i], next = x[i];
        // Greater, or the first NaN.
        int wins = (next > best) | ((next != next) & (best == best));
        y[i] = wins ? next : best;
        where[i] = wins ? (int32_t)a : where[i];
      }
    }
  }
}

static void KERNEL(max_axis_gradient)(
    size_t outer, size_t axis, size_t inner, const int32_t *restrict where,
    const float *restrict dy, float *restrict dx) {
  for (size_t o = 0; o < outer; o++, where += inner, dy += inner) {
    for (size_t a = 0; a < axis; a++, dx += inner) {
      for (size_t i = 0; i < inner; i++) dx[i] = where[i] == (int32_t)a ? dy[i] : 0;
    }
  }
}
