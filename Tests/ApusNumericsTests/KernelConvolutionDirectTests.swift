// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import CApus
import OwnThreads
import Testing

/// The convolutions that read images as they lie, against plain loops in Double.
@Suite("Kernels: convolutions without unfolding", .ownThread)
struct KernelConvolutionDirectTests {
  /// height, width, channels, filter height and width, outputs, strides, padding above and left, below and
  /// right.
  struct Geometry: Sendable, CustomStringConvertible {
    var image: (Int, Int, Int)
    var filter: (Int, Int, Int)
    var stride = (1, 1)
    var before = (0, 0)
    var after = (0, 0)

    var description: String {
      "\(image) with \(filter) every \(stride), padded by \(before) and \(after)"
    }

    var shape: apus_convolution {
      apus_convolution(
        height: image.0, width: image.1, channels: image.2,
        out_height: (image.0 + before.0 + after.0 - filter.0) / stride.0 + 1,
        out_width: (image.1 + before.1 + after.1 - filter.1) / stride.1 + 1,
        out_channels: filter.2, filter_height: filter.0, filter_width: filter.1,
        stride_y: stride.0, stride_x: stride.1, pad_top: before.0, pad_left: before.1)
    }
  }

  static let geometries = [
    Geometry(image: (28, 28, 1), filter: (5, 5, 32), before: (2, 2), after: (2, 2)),
    Geometry(image: (14, 14, 32), filter: (5, 5, 64), before: (2, 2), after: (2, 2)),
    Geometry(image: (9, 7, 3), filter: (3, 2, 5), stride: (2, 2), before: (1, 1), after: (1, 0)),
    Geometry(image: (8, 8, 5), filter: (3, 3, 7)),
    Geometry(image: (5, 6, 2), filter: (3, 3, 3), before: (2, 2), after: (2, 2)),
    Geometry(image: (11, 5, 4), filter: (4, 3, 17), stride: (3, 1), before: (3, 0), after: (0, 2)),
    Geometry(image: (1, 1, 1), filter: (1, 1, 1)),
    Geometry(image: (3, 3, 2), filter: (5, 5, 2), before: (2, 2), after: (2, 2)),
    Geometry(image: (2, 40, 1), filter: (1, 9, 6), stride: (1, 4), before: (0, 4), after: (0, 4)),
  ]

  @Test("Output and both gradients, with every instruction set", arguments: geometries)
  func all(_ geometry: Geometry) {
    var shape = geometry.shape
    let images = 2
    let imageCount = shape.height * shape.width * shape.channels
    let outCount = shape.out_height * shape.out_width * shape.out_channels
    let filterCount = shape.filter_height * shape.filter_width * shape.channels * shape.out_channels
    let x = KernelProductTests.numbers(images * imageCount, seed: 1)
    let filter = KernelProductTests.numbers(filterCount, seed: 2)
    let bias = KernelProductTests.numbers(shape.out_channels, seed: 3)
    let dy = KernelProductTests.numbers(images * outCount, seed: 4)

    var y = [Double](repeating: 0, count: images * outCount)
    var dx = [Double](repeating: 0, count: images * imageCount)
    var dfilter = [Double](repeating: 1, count: filterCount)
    for image in 0..<images {
      for row in 0..<shape.out_height {
        for column in 0..<shape.out_width {
          for out in 0..<shape.out_channels {
            let place =
              image * outCount + (row * shape.out_width + column) * shape.out_channels + out
            y[place] = Double(bias[out])
            for ky in 0..<shape.filter_height {
              for kx in 0..<shape.filter_width {
                let (v, h) = (
                  row * shape.stride_y - shape.pad_top + ky,
                  column * shape.stride_x - shape.pad_left + kx
                )
                guard v >= 0, h >= 0, v < shape.height, h < shape.width else { continue }
                for channel in 0..<shape.channels {
                  let pixel =
                    image * imageCount + (v * shape.width + h) * shape.channels + channel
                  let tap =
                    ((ky * shape.filter_width + kx) * shape.channels + channel)
                    * shape.out_channels + out
                  y[place] += Double(x[pixel]) * Double(filter[tap])
                  dx[pixel] += Double(filter[tap]) * Double(dy[place])
                  dfilter[tap] += Double(x[pixel]) * Double(dy[place])
                }
              }
            }
          }
        }
      }
    }

    var flip = apus_convolution_flip(&shape)
    let scratchCount = max(apus_convolution_scratch(&shape), apus_convolution_scratch(&flip))
    for set in KernelProductTests.sets {
      var scratch = [Float](repeating: .nan, count: max(scratchCount, 1))
      var output = [Float](repeating: .nan, count: y.count)
      apus_convolution_forward(&shape, set, images, x, filter, bias, 0, &output, &scratch)
      expectNear(output, y, "output", set)
      apus_convolution_forward(&shape, set, images, x, filter, bias, 1, &output, &scratch)
      expectNear(output, y.map { max($0, 0) }, "rectified output", set)

      var gradient = [Float](repeating: 1, count: filterCount)
      apus_convolution_filter_gradient(&shape, set, images, x, dy, &gradient, &scratch)
      expectNear(gradient, dfilter, "gradient by the filter", set)

      guard apus_convolution_has_flip(&shape) != 0 else { continue }
      var flipped = [Float](repeating: 0, count: filterCount)
      apus_convolution_flip_filter(&shape, filter, &flipped)
      var inputGradient = [Float](repeating: .nan, count: dx.count)
      apus_convolution_forward(
        &flip, set, images, dy, flipped, nil, 0, &inputGradient, &scratch)
      expectNear(inputGradient, dx, "gradient by the images", set)
    }
  }

  private func expectNear(
    _ measured: [Float], _ expected: [Double], _ what: String,
    _ set: UnsafePointer<apus_kernels>
  ) {
    let scale = expected.map(abs).max() ?? 1
    for (place, (a, b)) in zip(measured, expected).enumerated() {
      guard abs(Double(a) - b) <= 1e-5 * max(scale, 1) else {
        Issue.record(
          "\(what) at \(place) with \(String(cString: set.pointee.set_name)): \(a), not \(b)")
        return
      }
    }
  }
}
