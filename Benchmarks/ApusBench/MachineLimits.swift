// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus
internal import CLimits
internal import COpenBLAS

/// What one thread of this machine can do at most.
enum MachineLimits {
  /// Multiply-adds on registers alone.
  static func multiplyAdds(_ work: String, timer: Timer) -> Figure {
    let rounds = 100_000
    var seed: Float = 1
    let samples = timer.samples { seed = 1 + limits_fma(rounds, seed) * 1e-30 }
    return rate(work, samples, "gflops", Double(rounds) * Double(limits_fma_operations()))
  }

  /// A product of two matrices of 1024 × 1024, by our own kernels or by OpenBLAS.
  static func product(_ work: String, byOpenBLAS: Bool, timer: Timer) -> Figure {
    let n = 1024
    let a = Numbers(n * n, from: 1)
    let b = Numbers(n * n, from: 2)
    let c = Numbers(n * n, from: 3)
    openblas_set_num_threads(1)
    var product = apus_product()
    (product.rows, product.columns, product.depth, product.segments) = (n, n, n, 1)
    (product.a, product.a_row, product.a_step) = (UnsafePointer(a.base), n, 1)
    (product.b, product.b_row) = (UnsafePointer(b.base), n)
    (product.c, product.c_row) = (c.base, n)
    product.start = APUS_FROM_ZERO
    let samples = timer.samples {
      if byOpenBLAS {
        cblas_sgemm(
          CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(n), blasint(n), blasint(n), 1,
          a.base, blasint(n), b.base, blasint(n), 0, c.base, blasint(n))
      } else {
        apus_multiply(&product)
      }
    }
    return withExtendedLifetime((a, b, c)) { rate(work, samples, "gflops", 2 * Double(n * n * n)) }
  }

  /// a ← b + s c on three arrays of 128 MB, which no cache holds.
  static func triad(_ work: String, timer: Timer) -> Figure {
    let n = 1 << 25
    let (a, b, c) = (Numbers(n, from: 1), Numbers(n, from: 2), Numbers(n, from: 3))
    let samples = timer.samples { limits_triad(n, 0.5, b.base, c.base, a.base) }
    return withExtendedLifetime((a, b, c)) { rate(work, samples, "gbps", 12 * Double(n)) }
  }

  /// y ← y + s x on two arrays of 128 MB.
  static func axpy(_ work: String, timer: Timer) -> Figure {
    let n = 1 << 25
    let (x, y) = (Numbers(n, from: 1), Numbers(n, from: 2))
    let samples = timer.samples { limits_axpy(n, 0.5, x.base, y.base) }
    return withExtendedLifetime((x, y)) { rate(work, samples, "gbps", 12 * Double(n)) }
  }

  private static func rate(
    _ work: String, _ samples: [Double], _ name: String, _ amount: Double
  ) -> Figure {
    Figure(work, unit: "s", samples: samples, also: [name: amount / samples.median * 1e-9])
  }
}

/// Memory full of numbers in 0..<1.
final class Numbers {
  let base: UnsafeMutablePointer<Float>

  init(_ count: Int, from seed: UInt32) {
    base = .allocate(capacity: count)
    var state = seed
    for i in 0..<count {
      state = state &* 1_664_525 &+ 1_013_904_223
      (base + i).initialize(to: Float(state >> 8) * 0x1p-24)
    }
  }

  deinit { base.deallocate() }
}
