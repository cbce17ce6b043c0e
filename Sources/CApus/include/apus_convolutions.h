// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#ifndef APUS_CONVOLUTIONS_H
#define APUS_CONVOLUTIONS_H

#include "apus_kernels.h"

/// A two-dimensional convolution of images, height × width × channels, float32.
///
/// Filters are filter_height × filter_width × channels × out_channels. Padding is with zeros; what the
/// bottom and the right need beyond the image is zero too. Output height is out_height rows, and row y
/// sees input rows y * stride_y - pad_top + 0 ..< filter_height.
struct apus_convolution {
  long height, width, channels;
  long out_height, out_width, out_channels;
  long filter_height, filter_width;
  long stride_y, stride_x;
  long pad_top, pad_left;
};

/// Numbers of scratch that the functions below need for this shape.
long apus_convolution_scratch(const struct apus_convolution *);

/// y ← x ∗ filter + bias, with negative results made zero where `rectify` says so.
///
/// bias is `out_channels` numbers, or NULL for zeros.
void apus_convolution_forward(
    const struct apus_convolution *, const struct apus_kernels *, long images, const float *x,
    const float *filter, const float *bias, int rectify, float *y, float *scratch);

/// dfilter ← dfilter + Σ over images of x correlated with dy.
void apus_convolution_filter_gradient(
    const struct apus_convolution *, const struct apus_kernels *, long images, const float *x,
    const float *dy, float *dfilter, float *scratch);

/// Whether a convolution's input gradient is itself such a convolution: where strides are 1.
int apus_convolution_has_flip(const struct apus_convolution *);

/// The convolution that takes dy to dx with the flipped filter; strides are 1.
struct apus_convolution apus_convolution_flip(const struct apus_convolution *);

/// flipped[y][x][o][c] ← filter[height - 1 - y][width - 1 - x][c][o]
void apus_convolution_flip_filter(
    const struct apus_convolution *, const float *filter, float *flipped);

#endif
