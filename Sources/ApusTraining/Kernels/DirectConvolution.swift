// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import CApus

/// A convolution without unfolding: rows of pixels are matrices as they lie in memory.
///
/// See `convolutions.c`. Filters are not in groups; strides are any, but the gradient by the images needs
/// strides of 1, for it is then the convolution with the flipped filters.
struct DirectConvolution {
  private let kernels: UnsafePointer<apus_kernels>
  private let shape: apus_convolution
  private let flip: apus_convolution
  private let filterCount: Int
  /// Whether ``runInputGradient(rows:filters:gradient:scratch:into:)`` can be asked for.
  let hasInputGradient: Bool
  /// Words needed while it runs.
  let scratchCount: Int

  /// Nil where OpenBLAS has the better products.
  init?(_ window: Window, image: Shape, output: Shape) {
    kernels = apus_kernels_in_use()
    guard kernels.pointee.has_own_products != 0 else { return nil }
    var shape = apus_convolution(
      height: image[0], width: image[1], channels: image[2], out_height: output[0],
      out_width: output[1], out_channels: output[2], filter_height: window.size.height,
      filter_width: window.size.width, stride_y: window.stride.height,
      stride_x: window.stride.width, pad_top: window.paddingBefore.height,
      pad_left: window.paddingBefore.width)
    var flip = apus_convolution_flip(&shape)
    filterCount = window.size.height * window.size.width * image[2] * output[2]
    hasInputGradient = apus_convolution_has_flip(&shape) != 0
    let flipped = hasInputGradient ? filterCount + apus_convolution_scratch(&flip) : 0
    scratchCount = max(apus_convolution_scratch(&shape), flipped)
    self.shape = shape
    self.flip = flip
  }

  /// output ← images ∗ filters, and the epilogue.
  func run(
    rows: Int, images: UnsafePointer<Float>, filters: UnsafePointer<Float>,
    _ epilogue: MatrixProduct.Epilogue, scratch: UnsafeMutablePointer<Float>,
    into output: UnsafeMutablePointer<Float>
  ) {
    withUnsafePointer(to: shape) { shape in
      apus_convolution_forward(
        shape, kernels, rows, images, filters, epilogue.bias, epilogue.rectifies ? 1 : 0, output,
        scratch)
    }
  }

  /// The gradient by the images, from that by the output.
  func runInputGradient(
    rows: Int, filters: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, into result: UnsafeMutablePointer<Float>
  ) {
    withUnsafePointer(to: shape) { apus_convolution_flip_filter($0, filters, scratch) }
    withUnsafePointer(to: flip) { flip in
      apus_convolution_forward(
        flip, kernels, rows, gradient, scratch, nil, 0, result, scratch + filterCount)
    }
  }

  /// The gradient by the filters: result ← beta · result + gradient, with a beta of 0 or 1.
  func runFilterGradient(
    rows: Int, images: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, beta: Float, into result: UnsafeMutablePointer<Float>
  ) {
    if beta == 0 { result.update(repeating: 0, count: filterCount) }
    withUnsafePointer(to: shape) { shape in
      apus_convolution_filter_gradient(shape, kernels, rows, images, gradient, result, scratch)
    }
  }
}
