// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// The methods and their polynomials are those of fdlibm (Sun Microsystems, 1993: e_log.c, e_exp.c,
// k_sin.c, k_cos.c, e_rem_pio2.c), without branches for what is never asked here. They only add,
// subtract, multiply and divide, which every processor rounds in the same way.

#include "apus_elementary.h"

#include <stdint.h>

#pragma clang fp contract(off) reassociate(off)

static const double ln2_high = 6.93147180369123816490e-01;  // its last 21 bits are zeros
static const double ln2_low = 1.90821492927058770002e-10;

static uint64_t bits_of(double x) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, 8);
  return bits;
}

static double double_of(uint64_t bits) {
  double x;
  __builtin_memcpy(&x, &bits, 8);
  return x;
}

double apus_elementary_log(double x) {
  if (x == 0) return -__builtin_inf();
  if (!(x > 0) || x > 1.79769313486231570815e308) return x > 0 ? x : __builtin_nan("");
  int64_t power = 0;
  if (x < 2.2250738585072014e-308) x *= 0x1p54, power = -54;
  // x = 2^power (1 + f) with √½ ≤ 1 + f < √2.
  const uint64_t root = 0x3FE6A09E667F3BCDu;  // √½
  const int64_t shift = (int64_t)(bits_of(x) - root) >> 52;
  power += shift;
  const double f = double_of(bits_of(x) - ((uint64_t)shift << 52)) - 1;
  const double k = (double)power, s = f / (2 + f), z = s * s, w = z * z, half = 0.5 * f * f;
  const double odd = w * (3.999999999940941908e-01
      + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
  const double even = z * (6.666666666666735130e-01 + w * (2.857142874366239149e-01
      + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
  return k * ln2_high - ((half - (s * (half + (even + odd)) + k * ln2_low)) - f);
}

double apus_elementary_exp(double x) {
  if (x != x) return x;
  if (x > 709.78271289338397) return __builtin_inf();
  if (x < -708.39641853226408) return 0;
  // x = k ln 2 + r with |r| ≤ ln 2 / 2.
  const double magic = 6755399441055744.0;  // 1.5 · 2^52: adding it rounds to an integer
  const double k = (x * 1.44269504088896338700 + magic) - magic;
  const double high = x - k * ln2_high, low = k * ln2_low, r = high - low, t = r * r;
  const double c = r - t * (1.66666666666666019037e-01 + t * (-2.77777777770155933842e-03
      + t * (6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06
      + t * 4.13813679705723846039e-08))));
  const double y = 1 - ((low - (r * c) / (2 - c)) - high);
  // In two steps: 2^1024 is no number, though e^x is.
  const int64_t n = (int64_t)k, half = n / 2;
  return y * double_of((uint64_t)(half + 1023) << 52) * double_of((uint64_t)(n - half + 1023) << 52);
}

// Of x + y, |x| ≤ π/4, y the rest that x has lost.
static double sine(double x, double y) {
  const double z = x * x, v = z * x;
  const double r = 8.33333333332248946124e-03
      + z * (-1.98412698298579493134e-04 + z * 2.75573137070700676789e-06)
      + z * (z * z) * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10);
  return x - ((z * (0.5 * y - v * r) - y) - v * -1.66666666666666324348e-01);
}

static double cosine(double x, double y) {
  const double z = x * x, w = z * z;
  const double r = z * (4.16666666666666019037e-02
          + z * (-1.38888888888741095749e-03 + z * 2.48015872894767294178e-05))
      + w * w * (-2.75573143513906633035e-07
          + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11));
  const double half = 0.5 * z, rest = 1 - half;
  return rest + (((1 - rest) - half) + (z * r - x * y));
}

void apus_elementary_sincos(double x, double *sine_, double *cosine_) {
  // x = n π/2 + high + low; π/2 in three parts, the products with the first two exact.
  const double magic = 6755399441055744.0;
  const double n = (x * 6.36619772367581382433e-01 + magic) - magic;
  const double first = x - n * 1.57079632673412561417e+00;
  const double second = n * 6.07710050630396597660e-11, left = first - second;
  const double third = n * 2.02226624879595063154e-21 - ((first - left) - second);
  const double high = left - third, low = (left - high) - third;
  const double s = sine(high, low), c = cosine(high, low);
  switch ((int64_t)n & 3) {
    case 0: *sine_ = s, *cosine_ = c; break;
    case 1: *sine_ = c, *cosine_ = -s; break;
    case 2: *sine_ = -s, *cosine_ = -c; break;
    default: *sine_ = -c, *cosine_ = s;
  }
}
