// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

FP_EXPRESSIONS

// One or two inputs and an output under the same loops, after axes of extent 1 are dropped and
// neighbours that are contiguous in all three are joined.
typedef struct {
  size_t rank;
  size_t extents[apus_rank_limit];
  ptrdiff_t a[apus_rank_limit], b[apus_rank_limit], y[apus_rank_limit];
} loops;

static size_t simplified(
    loops *to, size_t rank, const size_t *extents, const ptrdiff_t *a, const ptrdiff_t *b,
    const ptrdiff_t *y) {
  size_t count = 1;
  to->rank = 0;
  for (size_t d = 0; d < rank; d++) {
    count *= extents[d];
    if (extents[d] == 1) continue;
    ptrdiff_t extent = (ptrdiff_t)extents[d];
    size_t last = to->rank - 1;
    if (to->rank > 0 && to->a[last] == a[d] * extent && to->b[last] == b[d] * extent &&
        to->y[last] == y[d] * extent) {
      to->extents[last] *= extents[d];
    } else {
      last = to->rank++;
      to->extents[last] = extents[d];
    }
    to->a[last] = a[d];
    to->b[last] = b[d];
    to->y[last] = y[d];
  }
  if (to->rank == 0) {
    to->rank = 1;
    to->extents[0] = 1;
    to->a[0] = to->b[0] = to->y[0] = 0;
  }
  return count;
}

// Steps to the next index of the axes before the last `inner`; offsets follow. Returns 0 after the
// last.
INLINE int advance(
    const loops *l, size_t inner, size_t *index, ptrdiff_t *a, ptrdiff_t *b, ptrdiff_t *y) {
  for (size_t d = l->rank - inner; d-- > 0;) {
    *a += l->a[d];
    *b += l->b[d];
    *y += l->y[d];
    if (++index[d] < l->extents[d]) return 1;
    ptrdiff_t extent = (ptrdiff_t)l->extents[d];
    *a -= l->a[d] * extent;
    *b -= l->b[d] * extent;
    *y -= l->y[d] * extent;
    index[d] = 0;
  }
  return 0;
}

// The last axis; unit strides apart, so that they become vector loads.
#define ROW(body)                                          \
  if (sa == 1 && sy == 1) {                                \
    for (ptrdiff_t i = 0; i < n; i++) {                    \
      const float x_ = xa[i];                              \
      float *y_ = ya + i;                                  \
      body;                                                \
    }                                                      \
  } else {                                                 \
    for (ptrdiff_t i = 0; i < n; i++) {                    \
      const float x_ = xa[i * sa];                         \
      float *y_ = ya + i * sy;                             \
      body;                                                \
    }                                                      \
  }

// Where reading goes down the columns of a matrix, squares of it are copied, so that every cache
// line that is fetched is used up at once. Returns 0 where that is not the case.
INLINE int copy_transposed(
    const loops *from, const float *restrict x, float *restrict y) {
  enum { side = 16 };
  loops l = *from;
  size_t last = l.rank - 1, other = last;
  if (l.rank < 2 || l.a[last] == 1 || l.y[last] != 1) return 0;
  for (size_t d = 0; d < last; d++) {
    if (l.a[d] == 1) other = d;
  }
  if (other == last) return 0;
  // The axis that is contiguous in x becomes the last but one.
  size_t extent = l.extents[other];
  ptrdiff_t sy = l.y[other];
  for (size_t d = other; d + 1 < last; d++) {
    l.extents[d] = l.extents[d + 1];
    l.a[d] = l.a[d + 1];
    l.b[d] = l.b[d + 1];
    l.y[d] = l.y[d + 1];
  }
  l.extents[last - 1] = extent;
  l.y[last - 1] = sy;

  size_t rows = extent, columns = l.extents[last], index[apus_rank_limit] = {0};
  ptrdiff_t stride = l.a[last], at = 0, unused = 0, to = 0;
  do {
    for (size_t r0 = 0; r0 < rows; r0 += side) {
      size_t r1 = rows - r0 < side ? rows : r0 + side;
      for (size_t c0 = 0; c0 < columns; c0 += side) {
        size_t c1 = columns - c0 < side ? columns : c0 + side;
        for (size_t r = r0; r < r1; r++) {
          const float *restrict xa = x + at + (ptrdiff_t)r;
          float *restrict ya = y + to + (ptrdiff_t)r * sy;
          for (size_t c = c0; c < c1; c++) ya[c] = xa[(ptrdiff_t)c * stride];
        }
      }
    }
  } while (advance(&l, 2, index, &at, &unused, &to));
  return 1;
}

static void KERNEL(copy_strided)(
    size_t rank, const size_t *extents, const ptrdiff_t *x_strides, const float *restrict x,
    const ptrdiff_t *y_strides, float *restrict y) {
  loops l;
  if (simplified(&l, rank, extents, x_strides, x_strides, y_strides) == 0) return;
  if (copy_transposed(&l, x, y)) return;
  size_t index[apus_rank_limit] = {0}, last = l.rank - 1;
  ptrdiff_t at = 0, unused = 0, to = 0;
  ptrdiff_t n = (ptrdiff_t)l.extents[last], sa = l.a[last], sy = l.y[last];
  do {
    const float *restrict xa = x + at;
    float *restrict ya = y + to;
    ROW(*y_ = x_)
  } while (advance(&l, 1, index, &at, &unused, &to));
}

static void KERNEL(add_strided)(
    size_t rank, const size_t *extents, const ptrdiff_t *x_strides, const float *restrict x,
    const ptrdiff_t *y_strides, float *restrict y) {
  loops l;
  if (simplified(&l, rank, extents, x_strides, x_strides, y_strides) == 0) return;
  size_t index[apus_rank_limit] = {0}, last = l.rank - 1;
  ptrdiff_t at = 0, unused = 0, to = 0;
  ptrdiff_t n = (ptrdiff_t)l.extents[last], sa = l.a[last], sy = l.y[last];
  do {
    const float *restrict xa = x + at;
    float *restrict ya = y + to;
    if (sy == 0) {
FP_ANY_ORDER
      double sum = 0;
      if (sa == 1) {
        for (ptrdiff_t i = 0; i < n; i++) sum += (double)xa[i];
      } else {
        for (ptrdiff_t i = 0; i < n; i++) sum += (double)xa[i * sa];
      }
      *ya += (float)sum;
    } else {
      ROW(*y_ += x_)
    }
  } while (advance(&l, 1, index, &at, &unused, &to));
}

#define BINARY_ROW(expression)                                                       \
  if (sa == 1 && sb == 1) {                                                          \
    for (ptrdiff_t i = 0; i < n; i++) {                                              \
      const float a_ = xa[i], b_ = xb[i];                                            \
      ya[i] = (expression);                                                          \
    }                                                                                \
  } else {                                                                           \
    for (ptrdiff_t i = 0; i < n; i++) {                                              \
      const float a_ = xa[i * sa], b_ = xb[i * sb];                                  \
      ya[i] = (expression);                                                          \
    }                                                                                \
  }                                                                                  \
  break;

static void KERNEL(binary_strided)(
    apus_operator op, size_t rank, const size_t *extents, const ptrdiff_t *a_strides,
    const float *restrict a, const ptrdiff_t *b_strides, const float *restrict b,
    float *restrict y) {
  ptrdiff_t y_strides[apus_rank_limit], stride = 1;
  for (size_t d = rank; d-- > 0; stride *= (ptrdiff_t)extents[d]) y_strides[d] = stride;
  loops l;
  if (simplified(&l, rank, extents, a_strides, b_strides, y_strides) == 0) return;
  size_t index[apus_rank_limit] = {0}, last = l.rank - 1;
  ptrdiff_t at = 0, bt = 0, to = 0;
  ptrdiff_t n = (ptrdiff_t)l.extents[last], sa = l.a[last], sb = l.b[last];
  do {
    const float *restrict xa = a + at, *restrict xb = b + bt;
    float *restrict ya = y + to;
    switch (op) {
      case apus_operator_add: BINARY_ROW(a_ + b_)
      case apus_operator_subtract: BINARY_ROW(a_ - b_)
      case apus_operator_subtract_from: BINARY_ROW(b_ - a_)
      case apus_operator_multiply: BINARY_ROW(a_ * b_)
      case apus_operator_divide: BINARY_ROW(a_ / b_)
      case apus_operator_divide_into: BINARY_ROW(b_ / a_)
    }
  } while (advance(&l, 1, index, &at, &bt, &to));
}
