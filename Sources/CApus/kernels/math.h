// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// exp, ln, tanh and erf of floats without branches or calls, so that loops over them vectorize. The
// tests hold them against libm in Double: exp, ln and log1p within 2 units in the last place, tanh,
// sigmoid and erf within 3, with or without fused multiply-add. Infinities and NaN come out as libm
// has them.
//
// Nothing in here may be reassociated: the roundings are part of the method.

INLINE int32_t bits_of(float x) {
  int32_t i;
  __builtin_memcpy(&i, &x, 4);
  return i;
}

INLINE float float_of(int32_t i) {
  float x;
  __builtin_memcpy(&x, &i, 4);
  return x;
}

INLINE float magnitude(float x) { return float_of(bits_of(x) & 0x7FFFFFFF); }

INLINE float with_sign_of(float magnitude, float sign) {
  return float_of(bits_of(magnitude) | (bits_of(sign) & INT32_MIN));
}

/// e^x = 2^n e^r with |r| ≤ ln 2 / 2. The polynomial and the two parts of ln 2 are those of Cephes
/// (S. L. Moshier, expf.c).
INLINE float exponential(float x) {
  FP_FUSED
  x = x < -104.0f ? -104.0f : x;  // rounds to 0; these comparisons let NaN through
  x = x > 89.0f ? 89.0f : x;      // rounds to infinity
  const float magic = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
  float shifted = x * 1.44269504088896341f + magic;
  float n = shifted - magic;
  float r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = (p * r) * r + r;
  // 2^n in two factors, as n can be beyond the exponents of normal numbers. NaN has bits without
  // meaning, but stays NaN.
  int32_t k = (int32_t)((uint32_t)bits_of(shifted) - (uint32_t)bits_of(magic));
  int32_t half = k >> 1;
  float low = float_of((int32_t)((uint32_t)(half + 127) << 23));
  float high = float_of((int32_t)((uint32_t)(k - half + 127) << 23));
  float y = p * low + low;
  return y * high;
}

/// ln(2^e m) = e ln 2 + ln m with √½ ≤ m < √2. The polynomial is that of Cephes (logf.c).
INLINE float logarithm(float x) {
  FP_FUSED
  float scaled = x < 1.17549435e-38f ? x * 8388608.0f : x;  // subnormal: times 2^23
  int32_t bits = bits_of(scaled);
  // Subtracting the bits of √½ makes the exponent field that of x / √½, so that m starts at √½.
  int32_t e = (int32_t)((uint32_t)bits - 0x3F3504F3u) >> 23;
  float m = float_of((int32_t)((uint32_t)bits - ((uint32_t)e << 23)));
  float n = (float)e - (x < 1.17549435e-38f ? 23.0f : 0.0f);
  float r = m - 1.0f;
  float s = r * r;
  float p = 7.0376836292e-2f;
  p = p * r - 1.1514610310e-1f;
  p = p * r + 1.1676998740e-1f;
  p = p * r - 1.2420140846e-1f;
  p = p * r + 1.4249322787e-1f;
  p = p * r - 1.6668057665e-1f;
  p = p * r + 2.0000714765e-1f;
  p = p * r - 2.4999993993e-1f;
  p = p * r + 3.3333331174e-1f;
  float y = (p * r) * s;
  y = y - n * 2.12194440e-4f;
  y = y - 0.5f * s;
  y = r + y;
  y = y + n * 0.693359375f;
  y = x > 3.40282347e38f ? x : y;
  y = x == 0 ? -__builtin_inff() : y;
  return x < 0 || x != x ? __builtin_nanf("") : y;
}

/// ln(1 + x) for 0 ≤ x ≤ 1: the logarithm of the rounded sum, and what the rounding lost.
INLINE float logarithm_of_one_plus(float x) {
  FP_FUSED
  float u = 1.0f + x;
  float lost = x - (u - 1.0f);
  return logarithm(u) + lost / u;
}

/// The small arguments' polynomial is that of Cephes (tanhf.c); the others' are 1 - 2 / (e^2x + 1).
INLINE float hyperbolic_tangent(float x) {
  FP_FUSED
  float a = magnitude(x);
  float s = x * x;
  float p = -5.70498872745e-3f;
  p = p * s + 2.06390887954e-2f;
  p = p * s - 5.37397155531e-2f;
  p = p * s + 1.33314422036e-1f;
  p = p * s - 3.33332819422e-1f;
  float small = (p * s) * x + x;
  float large = 1.0f - 2.0f / (exponential(2.0f * a) + 1.0f);
  return a < 0.625f ? small : with_sign_of(large, x);
}

INLINE float logistic(float x) {
  FP_FUSED
  return 1.0f / (1.0f + exponential(-x));
}

/// The polynomials are printed by fit_error_function.py, beside the tests' goldens.
INLINE float error_function(float x) {
  FP_FUSED
  float s = x * x;
  float p = -0.00060449769f;
  p = p * s + 0.00500351053f;
  p = p * s - 0.0267734523f;
  p = p * s + 0.112819987f;
  p = p * s - 0.376125105f;
  p = p * s + 0.128379152f;
  float small = p * x + x;
  float a = magnitude(x);
  float t = a > 4.0f ? 4.0f : a;
  float q = 5.32815685e-6f;
  q = q * t - 5.03515342e-5f;
  q = q * t - 2.516986e-5f;
  q = q * t + 0.00286236481f;
  q = q * t - 0.0225638426f;
  q = q * t + 0.10515751f;
  q = q * t + 0.635679749f;
  q = q * t + 1.12853992f;
  float large = 1.0f - exponential(-t * q);
  return a < 0.9f ? small : with_sign_of(large, x);
}
