// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

FP_EXPRESSIONS

// The part of window (oy, ox) that is on the image: rows top..<bottom, columns left..<right.
typedef struct {
  size_t top, bottom, left, right;
} patch;

INLINE size_t clamped(size_t position, size_t padding, size_t limit) {
  size_t inside = position > padding ? position - padding : 0;
  return inside < limit ? inside : limit;
}

INLINE patch patch_of(const apus_window *w, size_t oy, size_t ox) {
  size_t y = oy * w->stride_height, x = ox * w->stride_width;
  return (patch){
      .top = clamped(y, w->padding_height, w->height),
      .bottom = clamped(y + w->kernel_height, w->padding_height, w->height),
      .left = clamped(x, w->padding_width, w->width),
      .right = clamped(x + w->kernel_width, w->padding_width, w->width),
  };
}

static void KERNEL(max_pool)(
    size_t batch, const apus_window *window, int32_t rectify, const float *restrict x,
    float *restrict y, int32_t *restrict where) {
  const apus_window w = *window;
  size_t n = w.channels;
  for (size_t b = 0; b < batch; b++, x += w.height * w.width * n) {
    for (size_t oy = 0; oy < w.out_height; oy++) {
      for (size_t ox = 0; ox < w.out_width; ox++, y += n, where += n) {
        patch p = patch_of(&w, oy, ox);
        size_t start = p.top * w.width + p.left;
        for (size_t c = 0; c < n; c++) {
          y[c] = x[start * n + c];
          where[c] = (int32_t)start;
        }
        for (size_t row = p.top; row < p.bottom; row++) {
          for (size_t column = p.left; column < p.right; column++) {
            size_t place = row * w.width + column;
            const float *restrict from = x + place * n;
            for (size_t c = 0; c < n; c++) {
              float best = y[c], next = from[c];
              // Greater, or the first NaN.
              int wins = (next > best) | ((next != next) & (best == best));
              y[c] = wins ? next : best;
              where[c] = wins ? (int32_t)place : where[c];
            }
          }
        }
        if (rectify) {
          for (size_t c = 0; c < n; c++) y[c] = y[c] < 0 ? 0 : y[c];
        }
      }
    }
  }
}

static void KERNEL(max_pool_gradient)(
    size_t batch, const apus_window *window, const int32_t *restrict where,
    const float *restrict rectified, const float *restrict dy, float *restrict dx) {
  const apus_window w = *window;
  size_t n = w.channels, image = w.height * w.width * n, pixels = w.out_height * w.out_width;
  for (size_t b = 0; b < batch; b++, dx += image) {
    for (size_t i = 0; i < image; i++) dx[i] = 0;
    if (rectified) {
      for (size_t p = 0; p < pixels; p++, where += n, dy += n, rectified += n) {
        for (size_t c = 0; c < n; c++)
          dx[(size_t)where[c] * n + c] += rectified[c] > 0 ? dy[c] : 0;
      }
    } else {
      for (size_t p = 0; p < pixels; p++, where += n, dy += n) {
        for (size_t c = 0; c < n; c++) dx[(size_t)where[c] * n + c] += dy[c];
      }
    }
  }
}

// 1 / what the window's sum is divided by.
INLINE float share(const apus_window *w, int32_t counts_padding, patch p) {
  size_t count = counts_padding ? w->kernel_height * w->kernel_width
                                : (p.bottom - p.top) * (p.right - p.left);
  return count > 0 ? 1 / (float)count : 0;
}

static void KERNEL(average_pool)(
    size_t batch, const apus_window *window, int32_t counts_padding, const float *restrict x,
    float *restrict y) {
  const apus_window w = *window;
  size_t n = w.channels;
  for (size_t b = 0; b < batch; b++, x += w.height * w.width * n) {
    for (size_t oy = 0; oy < w.out_height; oy++) {
      for (size_t ox = 0; ox < w.out_width; ox++, y += n) {
        patch p = patch_of(&w, oy, ox);
        float scale = share(&w, counts_padding, p);
        for (size_t c = 0; c < n; c++) y[c] = 0;
        for (size_t row = p.top; row < p.bottom; row++) {
          for (size_t column = p.left; column < p.right; column++) {
            const float *restrict from = x + (row * w.width + column) * n;
            for (size_t c = 0; c < n; c++) y[c] += from[c];
          }
        }
        for (size_t c = 0; c < n; c++) y[c] *= scale;
      }
    }
  }
}

static void KERNEL(average_pool_gradient)(
    size_t batch, const apus_window *window, int32_t counts_padding, const float *restrict dy,
    float *restrict dx) {
  const apus_window w = *window;
  size_t n = w.channels, image = w.height * w.width * n;
  for (size_t b = 0; b < batch; b++, dx += image) {
    for (size_t i = 0; i < image; i++) dx[i] = 0;
    for (size_t oy = 0; oy < w.out_height; oy++) {
      for (size_t ox = 0; ox < w.out_width; ox++, dy += n) {
        patch p = patch_of(&w, oy, ox);
        float scale = share(&w, counts_padding, p);
        for (size_t row = p.top; row < p.bottom; row++) {
          for (size_t column = p.left; column < p.right; column++) {
            float *restrict to = dx + (row * w.width + column) * n;
            for (size_t c = 0; c < n; c++) to[c] += scale * dy[c];
          }
        }
      }
    }
  }
}
