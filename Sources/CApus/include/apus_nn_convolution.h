// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Convolution by way of matrix products, and depthwise convolution directly. Images are batch ×
// height × width × channels; outputs batch × out_height × out_width × out channels; filters
// kernel_height × kernel_width × in × out.

#ifndef APUS_NN_CONVOLUTION_H
#define APUS_NN_CONVOLUTION_H

#include <stddef.h>
#include <stdint.h>

/// How windows lie on an image: out = (size + 2 padding - kernel) / stride + 1, rounded down, is
/// the caller's to compute. Padding is on both sides; an output may be cut short (then it reads
/// less), never longer.
typedef struct {
  size_t height, width, channels;
  size_t out_height, out_width;
  size_t kernel_height, kernel_width;
  size_t stride_height, stride_width;
  size_t padding_height, padding_width;
} apus_window;

/// columns[b, oy, ox, ky, kx, c] = x[b, oy sy + ky - py, ox sx + kx - px, first + c], 0 outside of
/// the image.
///
/// `first` and `count` choose the channels of one group. As a matrix, columns has batch ·
/// out_height · out_width rows of kernel_height · kernel_width · count.
void apus_im2col(
    size_t batch, const apus_window *window, size_t first, size_t count, const float *restrict x,
    float *restrict columns);
/// The transpose of im2col: overwrites channels first..<first + count of dx with the sums of what
/// was copied from there, and leaves the other channels alone.
void apus_col2im(
    size_t batch, const apus_window *window, size_t first, size_t count,
    const float *restrict columns,
    float *restrict dx);

/// Depthwise convolution: output channel o reads input channel o / multiplier only.
///
/// The filter is kernel_height × kernel_width × 1 × (channels · multiplier); y has channels ·
/// multiplier channels.
void apus_depthwise(
    size_t batch, const apus_window *window, size_t multiplier, const float *restrict x,
    const float *restrict filter, float *restrict y);
/// dx, overwritten.
void apus_depthwise_input_gradient(
    size_t batch, const apus_window *window, size_t multiplier, const float *restrict filter,
    const float *restrict dy, float *restrict dx);
/// dfilter = beta dfilter + alpha Σ …; with beta = 0, dfilter is not read.
void apus_depthwise_filter_gradient(
    size_t batch, const apus_window *window, size_t multiplier, float alpha,
    const float *restrict x,
    const float *restrict dy, float beta, float *restrict dfilter);

#endif
