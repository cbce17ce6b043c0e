// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Kernels are compiled once for each instruction set. apus_fill and its kin call those of the set in use,
// which is the best that the machine has until another one is chosen.

#ifndef APUS_KERNELS_H
#define APUS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "apus_data.h"
#include "apus_exact_sum.h"
#include "apus_magnitudes.h"
#include "apus_nn_activation.h"
#include "apus_nn_convolution.h"
#include "apus_nn_dropout.h"
#include "apus_nn_elementwise.h"
#include "apus_nn_loss.h"
#include "apus_nn_normalization.h"
#include "apus_nn_pooling.h"
#include "apus_nn_reduce.h"
#include "apus_nn_rows.h"
#include "apus_nn_strided.h"
#include "apus_optimizers.h"
#include "apus_products.h"

/// Every kernel's name, given to DO one by one.
#define APUS_KERNELS(DO) \
  DO(numbers_from_bytes) DO(interleave_planes) DO(exact_add) DO(exact_subtract) DO(exact_add8) \
  DO(exact_subtract8) DO(exact_merge) DO(exact_mean) DO(exact_greatest) DO(greatest_magnitude) \
  DO(squared_norm) DO(activate) DO(bias_activate) DO(activation_gradient) DO(im2col) DO(col2im) \
  DO(depthwise) DO(depthwise_input_gradient) DO(depthwise_filter_gradient) DO(dropout) DO(fill) \
  DO(affine) DO(sink) DO(binary) DO(binary_row) DO(binary_column) DO(binary_scalar) DO(negate) \
  DO(exp) DO(log) DO(sqrt) DO(sqrt_gradient) DO(power) DO(power_gradient) DO(column_sums) \
  DO(softmax) DO(softmax_gradient) DO(log_softmax) DO(log_softmax_gradient) DO(count_labels) \
  DO(softmax_cross_entropy) DO(sigmoid_cross_entropy) DO(squared_error) DO(layer_norm) \
  DO(layer_norm_gradient) DO(group_norm) DO(group_norm_gradient) DO(max_pool) \
  DO(max_pool_gradient) DO(average_pool) DO(average_pool_gradient) DO(sum_axis) \
  DO(broadcast_axis) DO(max_axis) DO(max_axis_gradient) DO(gather_rows) DO(scatter_add_rows) \
  DO(copy_strided) DO(add_strided) DO(binary_strided) DO(sgd_step) DO(momentum_step) \
  DO(adam_step) DO(multiply) DO(multiply_transposed) DO(multiply_any)

/// The kernels of one instruction set, named as the functions without `apus_`.
struct apus_kernels {
  /// `portable`, `baseline`, `avx2`, `avx512`.
  const char *_Nonnull set_name;
  /// Whether vectors are long enough for our own products to be faster than OpenBLAS's, or OpenBLAS is
  /// not to be asked at all.
  int has_own_products;
  /// Whether every processor gets the same bytes: no fused multiply-add, sums in the order as written.
  int is_portable;
#define APUS_MEMBER(name) __typeof__(apus_##name) *_Nonnull name;
  APUS_KERNELS(APUS_MEMBER)
#undef APUS_MEMBER
};

/// The sets that this machine can run, the best one last; NULL from `ordinal` = their number on.
const struct apus_kernels *_Nullable apus_kernels_of_set(int ordinal);

/// The set in use.
const struct apus_kernels *_Nonnull apus_kernels_in_use(void);

/// Chooses the set for the whole process, before any kernel has run.
///
/// Who changes the set in the middle of a computation gets some bytes of one and some of the other.
void apus_use_kernels(const struct apus_kernels *_Nonnull);

#endif
