// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the instruction set in use. The sets themselves are compiled by the files of sets/.

#include "apus_kernels.h"

#include <stdatomic.h>

extern const struct apus_kernels apus_kernels_portable, apus_kernels_baseline;
#if defined(__x86_64__)
extern const struct apus_kernels apus_kernels_avx2, apus_kernels_avx512;
#endif

static const struct apus_kernels *const sets[] = {
    &apus_kernels_portable,
    &apus_kernels_baseline,
#if defined(__x86_64__)
    &apus_kernels_avx2,
    &apus_kernels_avx512,
#endif
};

static int runnable_count(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) return 4;
  if (__builtin_cpu_supports("x86-64-v3")) return 3;
#endif
  return 2;
}

const struct apus_kernels *apus_kernels_of_set(int ordinal) {
  return ordinal >= 0 && ordinal < runnable_count() ? sets[ordinal] : NULL;
}

// Atomic for the sanitizer's sake: it is written before there are threads.
static _Atomic(const struct apus_kernels *) chosen = &apus_kernels_baseline;

static inline const struct apus_kernels *in_use(void) {
  return atomic_load_explicit(&chosen, memory_order_relaxed);
}

void apus_use_kernels(const struct apus_kernels *kernels) {
  atomic_store_explicit(&chosen, kernels, memory_order_relaxed);
}

const struct apus_kernels *apus_kernels_in_use(void) { return in_use(); }

__attribute__((constructor)) static void use_the_best(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
#endif
  apus_use_kernels(sets[runnable_count() - 1]);
}

void apus_numbers_from_bytes(size_t n, const uint8_t *x, float scale, float offset, float *y) {
  in_use()->numbers_from_bytes(n, x, scale, offset, y);
}
void apus_interleave_planes(size_t n, size_t planes, const uint8_t *x, uint8_t *y) {
  in_use()->interleave_planes(n, planes, x, y);
}

uint32_t apus_exact_add(size_t n, uint64_t *sum, const float *x, double scale) {
  return in_use()->exact_add(n, sum, x, scale);
}
void apus_exact_subtract(size_t n, uint64_t *sum, const float *x, double scale) {
  in_use()->exact_subtract(n, sum, x, scale);
}
uint32_t apus_exact_add8(size_t n, uint64_t *sum, const float *const *xs, const double *scales) {
  return in_use()->exact_add8(n, sum, xs, scales);
}
void apus_exact_subtract8(size_t n, uint64_t *sum, const float *const *xs, const double *scales) {
  in_use()->exact_subtract8(n, sum, xs, scales);
}
void apus_exact_merge(size_t n, uint64_t *sum, const uint64_t *other) {
  in_use()->exact_merge(n, sum, other);
}
void apus_exact_mean(size_t n, const uint64_t *sum, double divisor, float *mean) {
  in_use()->exact_mean(n, sum, divisor, mean);
}
uint64_t apus_exact_greatest(size_t n, const uint64_t *sum) {
  return in_use()->exact_greatest(n, sum);
}

uint32_t apus_greatest_magnitude(size_t n, const float *x) {
  return in_use()->greatest_magnitude(n, x);
}
double apus_squared_norm(size_t n, const float *x) { return in_use()->squared_norm(n, x); }

void apus_activate(apus_activation f, float slope, size_t n, const float *x, float *y) {
  in_use()->activate(f, slope, n, x, y);
}
void apus_bias_activate(
    apus_activation f, float slope, size_t rows, size_t n, const float *restrict bias,
    const float *x, float *y) {
  in_use()->bias_activate(f, slope, rows, n, bias, x, y);
}
void apus_activation_gradient(
    apus_activation f, float slope, size_t n, const float *known, const float *dy, float *dx) {
  in_use()->activation_gradient(f, slope, n, known, dy, dx);
}

void apus_im2col(
    size_t batch, const apus_window *window, size_t first, size_t count, const float *restrict x,
    float *restrict columns) {
  in_use()->im2col(batch, window, first, count, x, columns);
}
void apus_col2im(
    size_t batch, const apus_window *window, size_t first, size_t count,
    const float *restrict columns, float *restrict dx) {
  in_use()->col2im(batch, window, first, count, columns, dx);
}
void apus_depthwise(
    size_t batch, const apus_window *window, size_t multiplier, const float *restrict x,
    const float *restrict filter, float *restrict y) {
  in_use()->depthwise(batch, window, multiplier, x, filter, y);
}
void apus_depthwise_input_gradient(
    size_t batch, const apus_window *window, size_t multiplier, const float *restrict filter,
    const float *restrict dy, float *restrict dx) {
  in_use()->depthwise_input_gradient(batch, window, multiplier, filter, dy, dx);
}
void apus_depthwise_filter_gradient(
    size_t batch, const apus_window *window, size_t multiplier, float alpha,
    const float *restrict x, const float *restrict dy, float beta, float *restrict dfilter) {
  in_use()->depthwise_filter_gradient(batch, window, multiplier, alpha, x, dy, beta, dfilter);
}

void apus_dropout(
    size_t n, uint64_t key, uint64_t nonce, uint64_t threshold, float scale, const float *x,
    float *y) {
  in_use()->dropout(n, key, nonce, threshold, scale, x, y);
}

void apus_fill(size_t n, float value, float *y) { in_use()->fill(n, value, y); }
void apus_affine(size_t n, float alpha, float beta, const float *x, float *y) {
  in_use()->affine(n, alpha, beta, x, y);
}
void apus_sink(size_t n, float alpha, const float *x, float beta, float *y) {
  in_use()->sink(n, alpha, x, beta, y);
}
void apus_binary(apus_operator op, size_t n, const float *a, const float *b, float *y) {
  in_use()->binary(op, n, a, b, y);
}
void apus_binary_row(
    apus_operator op, size_t rows, size_t n, const float *a, const float *restrict b, float *y) {
  in_use()->binary_row(op, rows, n, a, b, y);
}
void apus_binary_column(
    apus_operator op, size_t rows, size_t n, const float *a, const float *restrict b, float *y) {
  in_use()->binary_column(op, rows, n, a, b, y);
}
void apus_binary_scalar(apus_operator op, size_t n, const float *a, float b, float *y) {
  in_use()->binary_scalar(op, n, a, b, y);
}
void apus_negate(size_t n, const float *x, float *y) { in_use()->negate(n, x, y); }
void apus_exp(size_t n, const float *x, float *y) { in_use()->exp(n, x, y); }
void apus_log(size_t n, const float *x, float *y) { in_use()->log(n, x, y); }
void apus_sqrt(size_t n, const float *x, float *y) { in_use()->sqrt(n, x, y); }
void apus_sqrt_gradient(size_t n, const float *y, const float *dy, float *dx) {
  in_use()->sqrt_gradient(n, y, dy, dx);
}
void apus_power(size_t n, float p, const float *x, float *y) { in_use()->power(n, p, x, y); }
void apus_power_gradient(size_t n, float p, const float *x, const float *dy, float *dx) {
  in_use()->power_gradient(n, p, x, dy, dx);
}
void apus_column_sums(
    size_t rows, size_t n, float alpha, const float *restrict x, float beta, float *restrict y) {
  in_use()->column_sums(rows, n, alpha, x, beta, y);
}

void apus_softmax(size_t rows, size_t n, const float *x, float *y) {
  in_use()->softmax(rows, n, x, y);
}
void apus_softmax_gradient(size_t rows, size_t n, const float *y, const float *dy, float *dx) {
  in_use()->softmax_gradient(rows, n, y, dy, dx);
}
void apus_log_softmax(size_t rows, size_t n, const float *x, float *y) {
  in_use()->log_softmax(rows, n, x, y);
}
void apus_log_softmax_gradient(size_t rows, size_t n, const float *y, const float *dy, float *dx) {
  in_use()->log_softmax_gradient(rows, n, y, dy, dx);
}
size_t apus_count_labels(size_t n, const int32_t *labels) {
  return in_use()->count_labels(n, labels);
}
double apus_softmax_cross_entropy(
    size_t rows, size_t classes, const float *logits, const int32_t *restrict labels, float scale,
    float *dlogits, size_t *correct, size_t *counted) {
  return in_use(
      )->softmax_cross_entropy(rows, classes, logits, labels, scale, dlogits, correct, counted);
}
double apus_sigmoid_cross_entropy(
    size_t rows, size_t n, const float *logits, const float *restrict targets, float scale,
    float *dlogits, size_t *correct) {
  return in_use()->sigmoid_cross_entropy(rows, n, logits, targets, scale, dlogits, correct);
}
double apus_squared_error(
    size_t n, const float *x, const float *restrict targets, float scale, float *dx) {
  return in_use()->squared_error(n, x, targets, scale, dx);
}

void apus_layer_norm(
    size_t rows, size_t n, float epsilon, const float *x, const float *restrict gamma,
    const float *restrict beta, float *y, float *restrict mean, float *restrict reciprocal) {
  in_use()->layer_norm(rows, n, epsilon, x, gamma, beta, y, mean, reciprocal);
}
void apus_layer_norm_gradient(
    size_t rows, size_t n, const float *restrict x, const float *restrict gamma,
    const float *restrict mean, const float *restrict reciprocal, const float *dy, float *dx) {
  in_use()->layer_norm_gradient(rows, n, x, gamma, mean, reciprocal, dy, dx);
}
void apus_group_norm(
    size_t batch, size_t spatial, size_t channels, size_t groups, float epsilon, const float *x,
    const float *restrict gamma, const float *restrict beta, float *y, float *restrict mean,
    float *restrict reciprocal) {
  in_use(
      )->group_norm(batch, spatial, channels, groups, epsilon, x, gamma, beta, y, mean, reciprocal);
}
void apus_group_norm_gradient(
    size_t batch, size_t spatial, size_t channels, size_t groups, const float *restrict x,
    const float *restrict gamma, const float *restrict mean, const float *restrict reciprocal,
    const float *dy, float *dx) {
  in_use(
      )->group_norm_gradient(batch, spatial, channels, groups, x, gamma, mean, reciprocal, dy, dx);
}

void apus_max_pool(
    size_t batch, const apus_window *window, int32_t rectify, const float *restrict x,
    float *restrict y, int32_t *restrict where) {
  in_use()->max_pool(batch, window, rectify, x, y, where);
}
void apus_max_pool_gradient(
    size_t batch, const apus_window *window, const int32_t *restrict where,
    const float *restrict rectified, const float *restrict dy, float *restrict dx) {
  in_use()->max_pool_gradient(batch, window, where, rectified, dy, dx);
}
void apus_average_pool(
    size_t batch, const apus_window *window, int32_t counts_padding, const float *restrict x,
    float *restrict y) {
  in_use()->average_pool(batch, window, counts_padding, x, y);
}
void apus_average_pool_gradient(
    size_t batch, const apus_window *window, int32_t counts_padding, const float *restrict dy,
    float *restrict dx) {
  in_use()->average_pool_gradient(batch, window, counts_padding, dy, dx);
}

void apus_sum_axis(
    size_t outer, size_t axis, size_t inner, float scale, const float *restrict x,
    float *restrict y) {
  in_use()->sum_axis(outer, axis, inner, scale, x, y);
}
void apus_broadcast_axis(
    size_t outer, size_t axis, size_t inner, float scale, const float *restrict dy,
    float *restrict dx) {
  in_use()->broadcast_axis(outer, axis, inner, scale, dy, dx);
}
void apus_max_axis(
    size_t outer, size_t axis, size_t inner, const float *restrict x, float *restrict y,
    int32_t *restrict where) {
  in_use()->max_axis(outer, axis, inner, x, y, where);
}
void apus_max_axis_gradient(
    size_t outer, size_t axis, size_t inner, const int32_t *restrict where,
    const float *restrict dy, float *restrict dx) {
  in_use()->max_axis_gradient(outer, axis, inner, where, dy, dx);
}

ptrdiff_t apus_gather_rows(
    size_t count, size_t width, size_t rows, const float *restrict table,
    const int32_t *restrict indices, float *restrict y) {
  return in_use()->gather_rows(count, width, rows, table, indices, y);
}
ptrdiff_t apus_scatter_add_rows(
    size_t count, size_t width, size_t rows, float alpha, const int32_t *restrict indices,
    const float *restrict x, float *restrict table) {
  return in_use()->scatter_add_rows(count, width, rows, alpha, indices, x, table);
}

void apus_copy_strided(
    size_t rank, const size_t *extents, const ptrdiff_t *x_strides, const float *restrict x,
    const ptrdiff_t *y_strides, float *restrict y) {
  in_use()->copy_strided(rank, extents, x_strides, x, y_strides, y);
}
void apus_add_strided(
    size_t rank, const size_t *extents, const ptrdiff_t *x_strides, const float *restrict x,
    const ptrdiff_t *y_strides, float *restrict y) {
  in_use()->add_strided(rank, extents, x_strides, x, y_strides, y);
}
void apus_binary_strided(
    apus_operator op, size_t rank, const size_t *extents, const ptrdiff_t *a_strides,
    const float *restrict a, const ptrdiff_t *b_strides, const float *restrict b,
    float *restrict y) {
  in_use()->binary_strided(op, rank, extents, a_strides, a, b_strides, b, y);
}

void apus_sgd_step(size_t n, float *x, const float *g, float rate, float decay) {
  in_use()->sgd_step(n, x, g, rate, decay);
}
void apus_momentum_step(
    size_t n, float *x, const float *g, float *velocity, float rate, float momentum, float decay,
    int nesterov) {
  in_use()->momentum_step(n, x, g, velocity, rate, momentum, decay, nesterov);
}
void apus_adam_step(
    size_t n, float *x, const float *g, float *m, float *v, float rate, float decay, float shrink,
    float gain1, float beta2, float gain2, float correction, float epsilon) {
  in_use()->adam_step(n, x, g, m, v, rate, decay, shrink, gain1, beta2, gain2, correction, epsilon);
}

void apus_multiply(const struct apus_product *product) { in_use()->multiply(product); }
void apus_multiply_transposed(const struct apus_product *product) {
  in_use()->multiply_transposed(product);
}
void apus_multiply_any(
    const struct apus_product *product, long b_step, float alpha, float beta) {
  in_use()->multiply_any(product, b_step, alpha, beta);
}
