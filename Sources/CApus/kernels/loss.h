// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

FP_EXPRESSIONS

// The bits of a float as an integer in the order of the numbers, and back (it is its own inverse).
// The largest of integers vectorizes, that of floats does not.
INLINE int32_t in_order(int32_t bits) { return bits ^ ((bits >> 31) & INT32_MAX); }

INLINE float largest(size_t n, const float *x) {
  int32_t top = INT32_MIN;
  for (size_t i = 0; i < n; i++) {
    int32_t key = in_order(bits_of(x[i]));
    top = key > top ? key : top;
  }
  return float_of(in_order(top));
}

INLINE double total(size_t n, const float *x) {
FP_ANY_ORDER
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i];
  return sum;
}

// y = e^(x - top), and the sum of it.
INLINE float exponentials(size_t n, float top, const float *x, float *y) {
  PARALLEL for (size_t i = 0; i < n; i++) y[i] = exponential(x[i] - top);
  return (float)total(n, y);
}

INLINE float sum_of_exponentials(size_t n, float top, const float *x) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    float e = exponential(x[i] - top);
    {
FP_ANY_ORDER
      sum += (double)e;
    }
  }
  return (float)sum;
}

static void KERNEL(softmax)(size_t rows, size_t n, const float *x, float *y) {
  if (n == 0) return;
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    float scale = 1 / exponentials(n, largest(n, x), x, y);
    for (size_t i = 0; i < n; i++) y[i] *= scale;
  }
}

static void KERNEL(softmax_gradient)(
    size_t rows, size_t n, const float *y, const float *dy, float *dx) {
  for (size_t r = 0; r < rows; r++, y += n, dy += n, dx += n) {
    float mean;
    {
FP_ANY_ORDER_FUSED
      double sum = 0;
      for (size_t i = 0; i < n; i++) sum += (double)dy[i] * (double)y[i];
      mean = (float)sum;
    }
    PARALLEL for (size_t i = 0; i < n; i++) dx[i] = y[i] * (dy[i] - mean);
  }
}

static void KERNEL(log_softmax)(size_t rows, size_t n, const float *x, float *y) {
  if (n == 0) return;
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    float top = largest(n, x);
    float shift = logarithm(sum_of_exponentials(n, top, x));
    PARALLEL for (size_t i = 0; i < n; i++) y[i] = (x[i] - top) - shift;
  }
}

static void KERNEL(log_softmax_gradient)(
    size_t rows, size_t n, const float *y, const float *dy, float *dx) {
  for (size_t r = 0; r < rows; r++, y += n, dy += n, dx += n) {
    float sum = (float)total(n, dy);
    PARALLEL for (size_t i = 0; i < n; i++) dx[i] = dy[i] - exponential(y[i]) * sum;
  }
}

static size_t KERNEL(count_labels)(size_t n, const int32_t *labels) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) count += labels[i] >= 0;
  return count;
}

// Whether the first of the largest elements is at `place`.
INLINE int is_first_largest(size_t n, const float *x, size_t place) {
  float value = x[place];
  int is_beaten = value != value;
  for (size_t i = 0; i < place; i++) is_beaten |= x[i] >= value;
  for (size_t i = place; i < n; i++) is_beaten |= x[i] > value;
  return !is_beaten;
}

static double KERNEL(softmax_cross_entropy)(
    size_t rows, size_t classes, const float *logits, const int32_t *restrict labels, float scale,
    float *dlogits, size_t *correct, size_t *counted) {
  double loss = 0;
  size_t right = 0, count = 0;
  for (size_t r = 0; r < rows; r++) {
    const float *x = logits + r * classes;
    float *dx = dlogits ? dlogits + r * classes : NULL;
    int32_t label = labels[r];
    if (label < 0 || (size_t)label >= classes) {
      if (label >= 0) {
        loss = (double)__builtin_nanf("");
        count++;
      }
      for (size_t i = 0; dx && i < classes; i++) dx[i] = 0;
      continue;
    }
    count++;
    right += (size_t)is_first_largest(classes, x, (size_t)label);
    float top = largest(classes, x), margin = top - x[label], sum;
    if (dx) {
      sum = exponentials(classes, top, x, dx);
      float factor = scale / sum;
      for (size_t i = 0; i < classes; i++) dx[i] *= factor;
      dx[label] -= scale;
    } else {
      sum = sum_of_exponentials(classes, top, x);
    }
    loss += (double)logarithm(sum) + (double)margin;
  }
  if (correct) *correct = right;
  if (counted) *counted = count;
  return loss;
}

static double KERNEL(sigmoid_cross_entropy)(
    size_t rows, size_t n, const float *logits, const float *restrict targets, float scale,
    float *dlogits, size_t *correct) {
  double loss = 0;
  size_t right = 0;
  for (size_t r = 0; r < rows; r++) {
    const float *x = logits + r * n, *t = targets + r * n;
    int32_t wrong = 0;
    for (size_t i = 0; i < n; i++) wrong |= (x[i] > 0) != (t[i] > 0.5f);
    right += wrong == 0;
    for (size_t i = 0; i < n; i++) {
      // ln(1 + e^x) - t x, with the exponential of what is negative.
      float positive = x[i] < 0 ? 0 : x[i];
      float term =
          positive - t[i] * x[i] + logarithm_of_one_plus(exponential(-magnitude(x[i])));
      {
FP_ANY_ORDER
        loss += (double)term;
      }
    }
    if (dlogits) {
      float *dx = dlogits + r * n;
      PARALLEL for (size_t i = 0; i < n; i++) dx[i] = scale * (logistic(x[i]) - t[i]);
    }
  }
  if (correct) *correct = right;
  return loss;
}

static double KERNEL(squared_error)(
    size_t n, const float *x, const float *restrict targets, float scale, float *dx) {
  double loss = 0;
  {
FP_ANY_ORDER_FUSED
    for (size_t i = 0; i < n; i++) {
      double difference = (double)x[i] - (double)targets[i];
      loss += difference * difference;
    }
  }
  if (dx) {
    float twice = 2 * scale;
    PARALLEL for (size_t i = 0; i < n; i++) dx[i] = twice * (x[i] - targets[i]);
  }
  return loss;
}
