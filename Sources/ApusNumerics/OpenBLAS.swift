// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// OpenBLAS, loaded when the first product needs it.
///
/// It takes megabytes and starts threads as soon as it is loaded, and where our own kernels have wide vectors training
/// never asks for it: an idle device is to be small.
// Sendable: functions of a library that is never unloaded; with one thread set, products may run side by side.
struct OpenBLAS: @unchecked Sendable {
  /// `cblas_sgemm` of a library with indices of 32 bits.
  private typealias Multiply =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32,
      UnsafePointer<Float>, Int32, Float, UnsafeMutablePointer<Float>, Int32
    ) -> Void

  private let function: Multiply

  /// Nil where the system has none.
  static let loaded = OpenBLAS()

  private static let names = [
    "libopenblas.so.0", "libopenblas.so", "libopenblas.dylib",
    "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
  ]

  private init?() {
    let library = Self.names.lazy.compactMap { dlopen($0, RTLD_NOW | RTLD_LOCAL) }.first
    guard let library, let multiply = dlsym(library, "cblas_sgemm"),
      let setThreads = dlsym(library, "openblas_set_num_threads")
    else { return nil }
    // Clients are trained side by side, so threads inside of a product would only get in each other's way.
    unsafeBitCast(setThreads, to: (@convention(c) (Int32) -> Void).self)(1)
    function = unsafeBitCast(multiply, to: Multiply.self)
  }

  /// C ← α A B + β C.
  func multiply(
    _ rows: Int, _ columns: Int, _ depth: Int, _ alpha: Float, _ a: MatrixProduct.Operand,
    _ b: MatrixProduct.Operand, _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ cRowStride: Int
  ) {
    // CblasRowMajor; CblasNoTrans and CblasTrans.
    let (rowMajor, plain, transposed): (Int32, Int32, Int32) = (101, 111, 112)
    function(
      rowMajor, a.isTransposed ? transposed : plain, b.isTransposed ? transposed : plain,
      Int32(rows), Int32(columns), Int32(depth), alpha, a.base, Int32(max(a.rowStride, 1)), b.base,
      Int32(max(b.rowStride, 1)), beta, c, Int32(cRowStride))
  }
}
