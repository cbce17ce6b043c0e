// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// Convolutions as products without unrolling the image: in a row of pixels, the patches that a filter's
// row meets begin `stride * channels` numbers apart and overlap, so they are the rows of a matrix as
// they lie in memory. Each row of the filter is a segment of the product. Only the columns of padding
// are written out, in a copy of one image at a time that stays in cache; rows of padding are left out.

#include "apus_convolutions.h"

#include <string.h>

static long max(long a, long b) { return a > b ? a : b; }
static long min(long a, long b) { return a < b ? a : b; }

// Numbers in a row of the padded image.
static long padded_width(const struct apus_convolution *s) {
  return max(s->pad_left + s->width, (s->out_width - 1) * s->stride_x + s->filter_width);
}

long apus_convolution_scratch(const struct apus_convolution *s) {
  return s->height * padded_width(s) * s->channels;
}

static void pad(const struct apus_convolution *s, const float *image, float *padded) {
  const long pitch = padded_width(s) * s->channels, row = s->width * s->channels;
  const long left = s->pad_left * s->channels, right = pitch - left - row;
  for (long y = 0; y < s->height; y++, image += row, padded += pitch) {
    memset(padded, 0, (size_t)left * sizeof(float));
    memcpy(padded + left, image, (size_t)row * sizeof(float));
    memset(padded + left + row, 0, (size_t)right * sizeof(float));
  }
}

void apus_convolution_forward(
    const struct apus_convolution *s, const struct apus_kernels *kernels, long images,
    const float *x, const float *filter, const float *bias, int rectify, float *y, float *scratch) {
  const long pitch = padded_width(s) * s->channels;
  struct apus_product p = {
      .rows = s->out_width, .columns = s->out_channels, .depth = s->filter_width * s->channels,
      .a_row = s->stride_x * s->channels, .a_step = 1, .a_segment = pitch,
      .b_row = s->out_channels, .b_segment = s->filter_width * s->channels * s->out_channels,
      .c = y, .c_row = s->out_channels,
      .start = APUS_FROM_ZERO, .bias = bias, .rectify = rectify,
  };
  for (long i = 0; i < images; i++, x += s->height * s->width * s->channels) {
    pad(s, x, scratch);
    for (long row = 0; row < s->out_height; row++, p.c += s->out_width * s->out_channels) {
      const long top = row * s->stride_y - s->pad_top;
      const long first = max(0, -top), last = max(first, min(s->filter_height, s->height - top));
      p.segments = last - first;
      p.a = scratch + (top + first) * pitch;
      p.b = filter + first * p.b_segment;
      kernels->multiply(&p);
    }
  }
}

void apus_convolution_filter_gradient(
    const struct apus_convolution *s, const struct apus_kernels *kernels, long images,
    const float *x, const float *dy, float *dfilter, float *scratch) {
  const long pitch = padded_width(s) * s->channels, out_row = s->out_width * s->out_channels;
  const long filter_row = s->filter_width * s->channels * s->out_channels;
  struct apus_product p = {
      .rows = s->filter_width * s->channels, .columns = s->out_channels, .depth = s->out_width,
      .a_row = 1, .a_step = s->stride_x * s->channels, .a_segment = s->stride_y * pitch,
      .b_row = s->out_channels, .b_segment = out_row,
      .c_row = s->out_channels, .start = APUS_FROM_RESULT,
  };
  for (long i = 0; i < images; i++) {
    pad(s, x + i * s->height * s->width * s->channels, scratch);
    for (long k = 0; k < s->filter_height; k++) {
      // The output rows for which this row of the filter is inside of the image.
      const long above = s->pad_top - k;
      const long first = above > 0 ? (above + s->stride_y - 1) / s->stride_y : 0;
      const long below = s->height - 1 + above;
      const long last = below < 0 ? first : max(first, min(s->out_height, below / s->stride_y + 1));
      p.segments = last - first;
      p.a = scratch + (first * s->stride_y - above) * pitch;
      p.b = dy + i * s->out_height * out_row + first * out_row;
      p.c = dfilter + k * filter_row;
      if (p.segments > 0) kernels->multiply(&p);
    }
  }
}

int apus_convolution_has_flip(const struct apus_convolution *s) {
  return s->stride_x == 1 && s->stride_y == 1 && s->pad_top < s->filter_height &&
         s->pad_left < s->filter_width;
}

struct apus_convolution apus_convolution_flip(const struct apus_convolution *s) {
  return (struct apus_convolution){
      .height = s->out_height, .width = s->out_width, .channels = s->out_channels,
      .out_height = s->height, .out_width = s->width, .out_channels = s->channels,
      .filter_height = s->filter_height, .filter_width = s->filter_width,
      .stride_y = 1, .stride_x = 1,
      .pad_top = s->filter_height - 1 - s->pad_top, .pad_left = s->filter_width - 1 - s->pad_left,
  };
}

void apus_convolution_flip_filter(
    const struct apus_convolution *s, const float *filter, float *flipped) {
  const long taps = s->filter_height * s->filter_width, from = s->channels, to = s->out_channels;
  for (long t = 0; t < taps; t++) {
    const float *source = filter + (taps - 1 - t) * from * to;
    float *target = flipped + t * from * to;
    // Squares of 16 × 16, so that neither side is read across too many cache lines at once.
    for (long c0 = 0; c0 < from; c0 += 16)
      for (long o0 = 0; o0 < to; o0 += 16)
        for (long o = o0; o < min(o0 + 16, to); o++)
          for (long c = c0; c < min(c0 + 16, from); c++) target[o * from + c] = source[c * to + o];
  }
}
