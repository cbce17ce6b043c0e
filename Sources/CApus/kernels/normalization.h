// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

FP_EXPRESSIONS

// A choice between loops, not a choice within one: `beta ? beta[i] : 0` becomes a masked load from
// address 0, which faults and is repaired at every step, fifty times slower.

static void KERNEL(layer_norm)(
    size_t rows, size_t n, float epsilon, const float *x, const float *restrict gamma,
    const float *restrict beta, float *y, float *restrict mean, float *restrict reciprocal) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    double center = 0, variance = 0;
    {
FP_ANY_ORDER_FUSED
      for (size_t i = 0; i < n; i++) center += (double)x[i];
      center /= (double)n;
      for (size_t i = 0; i < n; i++) {
        double d = (double)x[i] - center;
        variance += d * d;
      }
      variance /= (double)n;
    }
    float m = (float)center;
    float s = (float)(1 / __builtin_elementwise_sqrt(variance + (double)epsilon));
    mean[r] = m;
    reciprocal[r] = s;
    if (gamma && beta) {
      PARALLEL for (size_t i = 0; i < n; i++) y[i] = (x[i] - m) * s * gamma[i] + beta[i];
    } else if (gamma) {
      PARALLEL for (size_t i = 0; i < n; i++) y[i] = (x[i] - m) * s * gamma[i];
    } else if (beta) {
      PARALLEL for (size_t i = 0; i < n; i++) y[i] = (x[i] - m) * s + beta[i];
    } else {
      PARALLEL for (size_t i = 0; i < n; i++) y[i] = (x[i] - m) * s;
    }
  }
}

// With g = dy gamma: dx = (g - mean of g - xhat · mean of g xhat) · reciprocal. G is g, as an
// expression in i, so that the loops never ask whether there is a gamma.
#define ROW_GRADIENT(G)                                                    \
  {                                                                        \
    float m = mean[r], s = reciprocal[r], a, b;                            \
    {                                                                      \
      FP_ANY_ORDER_FUSED                   \
      double sum = 0, product = 0;                                         \
      for (size_t i = 0; i < n; i++) {                                     \
        double g = (double)(G);                                            \
        sum += g;                                                          \
        product += g * (double)((x[i] - m) * s);                           \
      }                                                                    \
      a = (float)(sum / (double)n);                                        \
      b = (float)(product / (double)n);                                    \
    }                                                                      \
    PARALLEL for (size_t i = 0; i < n; i++) {                         \
      dx[i] = ((G) - a - (x[i] - m) * s * b) * s;                          \
    }                                                                      \
  }

static void KERNEL(layer_norm_gradient)(
    size_t rows, size_t n, const float *restrict x, const float *restrict gamma,
    const float *restrict mean, const float *restrict reciprocal, const float *dy, float *dx) {
  for (size_t r = 0; r < rows; r++, x += n, dy += n, dx += n) {
    if (gamma) {
      ROW_GRADIENT(dy[i] * gamma[i])
    } else {
      ROW_GRADIENT(dy[i])
    }
  }
}

// Channels that are summed over pixels in one sweep.
enum { CHANNEL_TILE = 32 };

// Group norm walks over spans of at most CHANNEL_TILE neighbouring channels: some whole groups where they
// are small, a part of one group where they are large.
typedef struct {
  size_t first, width;
} span;

INLINE span span_from(size_t first, size_t channels, size_t size) {
  size_t limit = size <= CHANNEL_TILE ? CHANNEL_TILE / size * size : size - first % size;
  limit = limit > CHANNEL_TILE ? CHANNEL_TILE : limit;
  return (span){first, channels - first < limit ? channels - first : limit};
}

// The span's part of an array of channels; `standard` where there is no array.
INLINE void copied(span at, const float *from, float standard, float *restrict to) {
  if (from) {
    for (size_t i = 0; i < at.width; i++) to[i] = from[at.first + i];
  } else {
    for (size_t i = 0; i < at.width; i++) to[i] = standard;
  }
}

// What every channel of a span needs of its group's statistics, which begin at the image's first
// group.
INLINE void channel_constants(
    span at, size_t size, const float *mean, const float *reciprocal, const float *gamma,
    float *restrict center, float *restrict scale, float *restrict weight) {
  for (size_t i = 0; i < at.width; i++) {
    size_t c = at.first + i;
    center[i] = mean[c / size];
    scale[i] = reciprocal[c / size];
  }
  copied(at, gamma, 1, weight);
}

static void KERNEL(group_norm)(
    size_t batch, size_t spatial, size_t channels, size_t groups, float epsilon, const float *x,
    const float *restrict gamma, const float *restrict beta, float *y, float *restrict mean,
    float *restrict reciprocal) {
  size_t size = channels / groups, image = spatial * channels;
  double count = (double)(size * spatial);
  for (size_t b = 0; b < batch; b++, x += image, y += image) {
    float *restrict m = mean + b * groups, *restrict s = reciprocal + b * groups;
    double sum = 0, square = 0;  // of the group that the last channel belongs to
    for (size_t first = 0; first < channels;) {
      span at = span_from(first, channels, size);
      double sums[CHANNEL_TILE] = {0}, squares[CHANNEL_TILE] = {0};
      for (size_t p = 0; p < spatial; p++) {
        const float *row = x + p * channels + first;
        for (size_t i = 0; i < at.width; i++) {
          double v = (double)row[i];
          sums[i] += v;
          squares[i] += v * v;
        }
      }
      for (size_t i = 0; i < at.width; i++) {
        sum += sums[i];
        square += squares[i];
        if ((first + i + 1) % size != 0) continue;
        size_t g = (first + i) / size;
        double center = sum / count, variance = square / count - center * center;
        variance = variance < 0 ? 0 : variance;
        m[g] = (float)center;
        s[g] = (float)(1 / __builtin_elementwise_sqrt(variance + (double)epsilon));
        sum = square = 0;
      }
      first += at.width;
    }
    for (size_t first = 0; first < channels;) {
      span at = span_from(first, channels, size);
      float center[CHANNEL_TILE], scale[CHANNEL_TILE], weight[CHANNEL_TILE], shift[CHANNEL_TILE];
      channel_constants(at, size, m, s, gamma, center, scale, weight);
      copied(at, beta, 0, shift);
      for (size_t p = 0; p < spatial; p++) {
        const float *from = x + p * channels + first;
        float *to = y + p * channels + first;
        PARALLEL for (size_t i = 0; i < at.width; i++) {
          to[i] = (from[i] - center[i]) * scale[i] * weight[i] + shift[i];
        }
      }
      first += at.width;
    }
  }
}

// With g = dy gamma: dx = (g - mean of g - xhat · mean of g xhat) · reciprocal, means over the
// group.
static void KERNEL(group_norm_gradient)(
    size_t batch, size_t spatial, size_t channels, size_t groups, const float *restrict x,
    const float *restrict gamma, const float *restrict mean, const float *restrict reciprocal,
    const float *dy, float *dx) {
  size_t size = channels / groups, image = spatial * channels;
  double count = (double)(size * spatial);
  for (size_t b = 0; b < batch; b++, x += image, dy += image, dx += image) {
    const float *restrict m = mean + b * groups, *restrict s = reciprocal + b * groups;
    for (size_t first = 0; first < channels;) {
      // The whole groups whose means are needed together: a span of small groups, or one large
      // group.
      size_t length = size <= CHANNEL_TILE ? span_from(first, channels, size).width : size;
      double sum = 0, product = 0;
      float a[CHANNEL_TILE], b_[CHANNEL_TILE];
      for (size_t done = 0; done < length;) {
        span at = span_from(first + done, channels, size);
        double sums[CHANNEL_TILE] = {0}, products[CHANNEL_TILE] = {0};
        float center[CHANNEL_TILE], scale[CHANNEL_TILE], weight[CHANNEL_TILE];
        channel_constants(at, size, m, s, gamma, center, scale, weight);
        for (size_t p = 0; p < spatial; p++) {
          const float *restrict xr = x + p * channels + at.first;
          const float *dr = dy + p * channels + at.first;
          for (size_t i = 0; i < at.width; i++) {
            float g = dr[i] * weight[i];
            sums[i] += (double)g;
            products[i] += (double)(g * ((xr[i] - center[i]) * scale[i]));
          }
        }
        for (size_t i = 0; i < at.width; i++) {
          sum += sums[i];
          product += products[i];
          if ((at.first + i + 1) % size != 0) continue;
          size_t from = size <= CHANNEL_TILE ? i + 1 - size : 0, to = size <= CHANNEL_TILE ? i + 1 : CHANNEL_TILE;
          for (size_t k = from; k < to; k++) {
            a[k] = (float)(sum / count);
            b_[k] = (float)(product / count);
          }
          sum = product = 0;
        }
        done += at.width;
      }
      for (size_t done = 0; done < length;) {
        span at = span_from(first + done, channels, size);
        float center[CHANNEL_TILE], scale[CHANNEL_TILE], weight[CHANNEL_TILE];
        channel_constants(at, size, m, s, gamma, center, scale, weight);
        for (size_t p = 0; p < spatial; p++) {
          const float *restrict xr = x + p * channels + at.first;
          const float *from = dy + p * channels + at.first;
          float *to = dx + p * channels + at.first;
          PARALLEL for (size_t i = 0; i < at.width; i++) {
            float g = from[i] * weight[i];
            to[i] = (g - a[i] - (xr[i] - center[i]) * scale[i] * b_[i]) * scale[i];
          }
        }
        done += at.width;
      }
      first += length;
    }
  }
}
