// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import CApus

/// The one place that convolutions go through; which routine takes which shape is decided here.
///
/// Where the filters are not in groups our own kernels read the images as they lie (``DirectConvolution``).
/// Else images are unfolded into columns some at a time, so that the columns stay in the cache.
struct ConvolutionKernel {
  private let window: apus_window
  private let groups: Int
  private let filterChannels: (in: Int, out: Int)
  private let outChannels: Int
  private let imageCount: Int
  private let outputCount: Int
  /// Rows of columns for one image, and how long each is.
  private let places: Int
  private let depth: Int
  private let direct: DirectConvolution?

  init(_ window: Window, groups: Int, image: Shape, output: Shape) {
    self.window = apus_window(window, image: image, output: output)
    self.groups = groups
    outChannels = output[2]
    filterChannels = (image[2] / groups, output[2] / groups)
    imageCount = image.count
    outputCount = output.count
    places = output[0] * output[1]
    depth = window.size.height * window.size.width * filterChannels.in
    let isPointwise = groups == 1 && depth == image[2] && image[0] * image[1] == places
    self.isPointwise = isPointwise
    direct =
      groups == 1 && !isPointwise ? DirectConvolution(window, image: image, output: output) : nil
  }

  /// A window of one pixel that moves by one: the images are the columns.
  private let isPointwise: Bool

  private var isDepthwise: Bool { groups > 1 && filterChannels.in == 1 }

  /// Images that are unfolded at a time: enough rows for a product to be efficient.
  private var imagesPerBlock: Int { isPointwise ? .max : max(1, 256 / places) }

  /// Words needed while it runs.
  func scratchCount(capacity: Int) -> Int {
    if isDepthwise || isPointwise { return 0 }
    let unfolded = min(imagesPerBlock, capacity) * places * depth
    guard let direct else { return unfolded }
    return direct.hasInputGradient
      ? direct.scratchCount : max(direct.scratchCount, unfolded)
  }

  /// What the window sees at each place, a row each.
  private func columns(
    _ count: Int, _ window: UnsafePointer<apus_window>, _ group: Int,
    _ images: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    if isPointwise { return images }
    apus_im2col(
      count, window, group * filterChannels.in, filterChannels.in, images, scratch)
    return UnsafePointer(scratch)
  }

  /// output ← images ∗ filters, and the epilogue.
  func run(
    rows: Int, images: UnsafePointer<Float>, filters: UnsafePointer<Float>,
    _ epilogue: MatrixProduct.Epilogue, scratch: UnsafeMutablePointer<Float>,
    into output: UnsafeMutablePointer<Float>
  ) {
    if let direct {
      direct.run(
        rows: rows, images: images, filters: filters, epilogue, scratch: scratch, into: output)
      return
    }
    withUnsafePointer(to: window) { window in
      if isDepthwise {
        apus_depthwise(rows, window, filterChannels.out, images, filters, output)
        epilogue.apply(
          rows: rows * places, columns: outChannels, to: output, rowStride: outChannels)
        return
      }
      for first in stride(from: 0, to: rows, by: imagesPerBlock) {
        let count = min(imagesPerBlock, rows - first)
        for group in 0..<groups {
          let columns = self.columns(
            count, window, group, images + first * imageCount, scratch)
          MatrixProduct.compute(
            rows: count * places, columns: filterChannels.out, depth: depth,
            .init(columns, rowStride: depth),
            .init(filters + group * filterChannels.out, rowStride: outChannels),
            epilogue: epilogue.columns(from: group * filterChannels.out),
            into: output + first * outputCount + group * filterChannels.out,
            rowStride: outChannels)
        }
      }
    }
  }

  /// The gradient by the images, from that by the output.
  func runInputGradient(
    rows: Int, filters: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, into result: UnsafeMutablePointer<Float>
  ) {
    if let direct, direct.hasInputGradient {
      direct.runInputGradient(
        rows: rows, filters: filters, gradient: gradient, scratch: scratch, into: result)
      return
    }
    withUnsafePointer(to: window) { window in
      if isDepthwise {
        apus_depthwise_input_gradient(
          rows, window, filterChannels.out, filters, gradient, result)
        return
      }
      for first in stride(from: 0, to: rows, by: imagesPerBlock) {
        let count = min(imagesPerBlock, rows - first)
        for group in 0..<groups {
          MatrixProduct.compute(
            rows: count * places, columns: depth, depth: filterChannels.out,
            .init(
              gradient + first * outputCount + group * filterChannels.out, rowStride: outChannels),
            .init(
              filters + group * filterChannels.out, rowStride: outChannels, isTransposed: true),
            into: isPointwise ? result : scratch, rowStride: depth)
          if isPointwise { continue }
          apus_col2im(
            count, window, group * filterChannels.in, filterChannels.in, scratch,
            result + first * imageCount)
        }
      }
    }
  }

  /// The gradient by the filters: result ← beta · result + gradient.
  func runFilterGradient(
    rows: Int, images: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, beta: Float,
    into result: UnsafeMutablePointer<Float>
  ) {
    if let direct {
      direct.runFilterGradient(
        rows: rows, images: images, gradient: gradient, scratch: scratch, beta: beta, into: result)
      return
    }
    withUnsafePointer(to: window) { window in
      if isDepthwise {
        apus_depthwise_filter_gradient(
          rows, window, filterChannels.out, 1, images, gradient, beta, result)
        return
      }
      for first in stride(from: 0, to: rows, by: imagesPerBlock) {
        let count = min(imagesPerBlock, rows - first)
        for group in 0..<groups {
          let columns = self.columns(
            count, window, group, images + first * imageCount, scratch)
          MatrixProduct.compute(
            rows: depth, columns: filterChannels.out, depth: count * places,
            .init(columns, rowStride: depth, isTransposed: true),
            .init(
              gradient + first * outputCount + group * filterChannels.out, rowStride: outChannels),
            beta: first == 0 ? beta : 1, into: result + group * filterChannels.out,
            rowStride: outChannels)
        }
      }
    }
  }
}

extension apus_window {
  init(_ window: Window, image: Shape, output: Shape) {
    self.init(
      height: image[0], width: image[1], channels: image[2], out_height: output[0],
      out_width: output[1], kernel_height: window.size.height, kernel_width: window.size.width,
      stride_height: window.stride.height, stride_width: window.stride.width,
      padding_height: window.paddingBefore.height, padding_width: window.paddingBefore.width)
  }
}
