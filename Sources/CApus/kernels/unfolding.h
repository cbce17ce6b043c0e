// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

FP_EXPRESSIONS

// The taps [low, high) of a kernel of `kernel` that fall within 0..<size when the first is at
// `start`.
typedef struct {
  ptrdiff_t low, high;
} taps;

INLINE taps taps_inside(ptrdiff_t start, size_t kernel, size_t size) {
  ptrdiff_t low = start < 0 ? -start : 0, high = (ptrdiff_t)size - start;
  high = high > (ptrdiff_t)kernel ? (ptrdiff_t)kernel : high;
  low = low > (ptrdiff_t)kernel ? (ptrdiff_t)kernel : low;
  return (taps){low, high < low ? low : high};
}

INLINE ptrdiff_t first_row(const apus_window *w, size_t oy) {
  return (ptrdiff_t)(oy * w->stride_height) - (ptrdiff_t)w->padding_height;
}

INLINE ptrdiff_t first_column(const apus_window *w, size_t ox) {
  return (ptrdiff_t)(ox * w->stride_width) - (ptrdiff_t)w->padding_width;
}

INLINE void zero(ptrdiff_t n, float *restrict y) {
  for (ptrdiff_t i = 0; i < n; i++) y[i] = 0;
}

static void KERNEL(im2col)(
    size_t batch, const apus_window *window, size_t first, size_t count, const float *restrict x,
    float *restrict columns) {
  const apus_window w = *window;
  ptrdiff_t n = (ptrdiff_t)count, channels = (ptrdiff_t)w.channels;
  ptrdiff_t tap_row = (ptrdiff_t)w.kernel_width * n;
  x += first;
  for (size_t b = 0; b < batch; b++, x += w.height * w.width * w.channels) {
    for (size_t oy = 0; oy < w.out_height; oy++) {
      ptrdiff_t y0 = first_row(&w, oy);
      taps rows = taps_inside(y0, w.kernel_height, w.height);
      for (size_t ox = 0; ox < w.out_width; ox++) {
        ptrdiff_t x0 = first_column(&w, ox);
        taps across = taps_inside(x0, w.kernel_width, w.width);
        ptrdiff_t length = (across.high - across.low) * n;
        for (ptrdiff_t ky = 0; ky < (ptrdiff_t)w.kernel_height; ky++, columns += tap_row) {
          if (ky < rows.low || ky >= rows.high || length == 0) {
            zero(tap_row, columns);
            continue;
          }
          const float *restrict from =
              x + ((y0 + ky) * (ptrdiff_t)w.width + x0 + across.low) * channels;
          float *restrict to = columns + across.low * n;
          zero(across.low * n, columns);
          if (n == channels) {
            // Neighbouring taps are neighbours in the image too.
            for (ptrdiff_t i = 0; i < length; i++) to[i] = from[i];
          } else {
            for (ptrdiff_t i = 0; i < length; i += n, from += channels) {
              for (ptrdiff_t c = 0; c < n; c++) to[i + c] = from[c];
            }
          }
          zero(tap_row - across.high * n, columns + across.high * n);
        }
      }
    }
  }
}

static void KERNEL(col2im)(
    size_t batch, const apus_window *window, size_t first, size_t count,
    const float *restrict columns, float *restrict dx) {
  const apus_window w = *window;
  ptrdiff_t n = (ptrdiff_t)count, channels = (ptrdiff_t)w.channels;
  ptrdiff_t tap_row = (ptrdiff_t)w.kernel_width * n;
  dx += first;
  for (size_t b = 0; b < batch; b++, dx += w.height * w.width * w.channels) {
    if (n == channels) {
      zero((ptrdiff_t)(w.height * w.width) * n, dx);
    } else {
      for (size_t p = 0; p < w.height * w.width; p++) zero(n, dx + p * w.channels);
    }
    for (size_t oy = 0; oy < w.out_height; oy++) {
      ptrdiff_t y0 = first_row(&w, oy);
      taps rows = taps_inside(y0, w.kernel_height, w.height);
      for (size_t ox = 0; ox < w.out_width; ox++) {
        ptrdiff_t x0 = first_column(&w, ox);
        taps across = taps_inside(x0, w.kernel_width, w.width);
        ptrdiff_t length = (across.high - across.low) * n;
        for (ptrdiff_t ky = rows.low; ky < rows.high; ky++) {
          const float *restrict from = columns + ky * tap_row + across.low * n;
          float *restrict to =
              dx + ((y0 + ky) * (ptrdiff_t)w.width + x0 + across.low) * channels;
          if (n == channels) {
            for (ptrdiff_t i = 0; i < length; i++) to[i] += from[i];
          } else {
            for (ptrdiff_t i = 0; i < length; i += n, to += channels) {
              for (ptrdiff_t c = 0; c < n; c++) to[c] += from[i + c];
            }
          }
        }
        columns += (ptrdiff_t)w.kernel_height * tap_row;
      }
    }
  }
}

// Depthwise: for every pair of an output pixel and a tap inside of the image, BODY with the offsets
// of the input pixel, the output pixel and the tap's filter.
#define FOR_TAPS(w, b, multiplier, BODY)                                                        \
  for (size_t oy = 0; oy < (w).out_height; oy++) {                                              \
    ptrdiff_t y0 = first_row(&(w), oy);                                                         \
    taps rows = taps_inside(y0, (w).kernel_height, (w).height);                                 \
    for (size_t ox = 0; ox < (w).out_width; ox++) {                                             \
      ptrdiff_t x0 = first_column(&(w), ox);                                                    \
      taps across = taps_inside(x0, (w).kernel_width, (w).width);                               \
      size_t out = (((b) * (w).out_height + oy) * (w).out_width + ox) * (w).channels *          \
                   (multiplier);                                                                \
      for (ptrdiff_t ky = rows.low; ky < rows.high; ky++) {                                     \
        for (ptrdiff_t kx = across.low; kx < across.high; kx++) {                               \
          size_t in = (((b) * (w).height + (size_t)(y0 + ky)) * (w).width + (size_t)(x0 + kx)) * \
                      (w).channels;                                                             \
          size_t tap = ((size_t)ky * (w).kernel_width + (size_t)kx) * (w).channels *            \
                       (multiplier);                                                            \
          BODY                                                                                  \
        }                                                                                       \
      }                                                                                         \
    }                                                                                           \
  }

static void KERNEL(depthwise)(
    size_t batch, const apus_window *window, size_t multiplier, const float *restrict x,
    const float *restrict filter, float *restrict y) {
FP_FUSED
  const apus_window w = *window;
  size_t channels = w.channels, m = multiplier;
  zero((ptrdiff_t)(batch * w.out_height * w.out_width * channels * m), y);
  for (size_t b = 0; b < batch; b++) {
    FOR_TAPS(w, b, m, {
      if (m == 1) {
        for (size_t c = 0; c < channels; c++) y[out + c] += x[in + c] * filter[tap + c];
      } else {
        for (size_t c = 0; c < channels; c++) {
          for (size_t o = c * m; o < c * m + m; o++) y[out + o] += x[in + c] * filter[tap + o];
        }
      }
    })
  }
}

static void KERNEL(depthwise_input_gradient)(
    size_t batch, const apus_window *window, size_t multiplier, const float *restrict filter,
    const float *restrict dy, float *restrict dx) {
FP_FUSED
  const apus_window w = *window;
  size_t channels = w.channels, m = multiplier;
  zero((ptrdiff_t)(batch * w.height * w.width * channels), dx);
  for (size_t b = 0; b < batch; b++) {
    FOR_TAPS(w, b, m, {
      if (m == 1) {
        for (size_t c = 0; c < channels; c++) dx[in + c] += dy[out + c] * filter[tap + c];
      } else {
        for (size_t c = 0; c < channels; c++) {
          for (size_t o = c * m; o < c * m + m; o++) dx[in + c] += dy[out + o] * filter[tap + o];
        }
      }
    })
  }
}

static void KERNEL(depthwise_filter_gradient)(
    size_t batch, const apus_window *window, size_t multiplier, float alpha,
    const float *restrict x, const float *restrict dy, float beta, float *restrict dfilter) {
FP_FUSED
  const apus_window w = *window;
  size_t channels = w.channels, m = multiplier, width = channels * m;
  size_t size = w.kernel_height * w.kernel_width * width;
  if (beta == 0) {
    zero((ptrdiff_t)size, dfilter);
  } else {
    for (size_t i = 0; i < size; i++) dfilter[i] *= beta;
  }
  // Sums over one image stay apart from the rest until they are complete: 64 channels of one tap at
  // a time.
  enum { TILE = 64 };
  for (size_t ky = 0; ky < w.kernel_height; ky++) {
    for (size_t kx = 0; kx < w.kernel_width; kx++) {
      float *restrict to = dfilter + (ky * w.kernel_width + kx) * width;
      for (size_t first = 0; first < width; first += TILE) {
        size_t n = width - first < TILE ? width - first : TILE;
        for (size_t b = 0; b < batch; b++) {
          float sum[TILE] = {0};
          for (size_t oy = 0; oy < w.out_height; oy++) {
            ptrdiff_t row = first_row(&w, oy) + (ptrdiff_t)ky;
            if (row < 0 || row >= (ptrdiff_t)w.height) continue;
            for (size_t ox = 0; ox < w.out_width; ox++) {
              ptrdiff_t column = first_column(&w, ox) + (ptrdiff_t)kx;
              if (column < 0 || column >= (ptrdiff_t)w.width) continue;
              const float *restrict from =
                  x + ((b * w.height + (size_t)row) * w.width + (size_t)column) * channels;
              const float *restrict by =
                  dy + ((b * w.out_height + oy) * w.out_width + ox) * width + first;
              if (m == 1) {
                for (size_t i = 0; i < n; i++) sum[i] += from[first + i] * by[i];
              } else {
                for (size_t i = 0; i < n; i++) sum[i] += from[(first + i) / m] * by[i];
              }
            }
          }
          for (size_t i = 0; i < n; i++) to[first + i] += alpha * sum[i];
        }
      }
    }
  }
}
