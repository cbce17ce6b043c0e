// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import CApus
import Testing

@Suite(.everyInstructionSet) struct KernelWindowTests {
  /// A few geometries: padding, strides, windows that hang over, oblong kernels.
  static let windows: [apus_window] = [
    window(image: (5, 6, 3), kernel: (3, 3), stride: (1, 1), padding: (1, 1)),
    window(image: (7, 5, 17), kernel: (2, 3), stride: (2, 1), padding: (0, 1)),
    window(image: (4, 4, 4), kernel: (4, 4), stride: (1, 1), padding: (2, 2)),
    window(image: (6, 6, 8), kernel: (2, 2), stride: (2, 2), padding: (0, 0)),
    window(image: (7, 7, 2), kernel: (2, 2), stride: (2, 2), padding: (0, 0)),
    window(image: (3, 9, 70), kernel: (1, 1), stride: (1, 2), padding: (0, 0)),
    window(image: (2, 2, 1), kernel: (5, 5), stride: (3, 3), padding: (2, 2)),
  ]

  static func window(
    image: (Int, Int, Int), kernel: (Int, Int), stride: (Int, Int), padding: (Int, Int)
  ) -> apus_window {
    apus_window(
      height: image.0, width: image.1, channels: image.2,
      out_height: (image.0 + 2 * padding.0 - kernel.0) / stride.0 + 1,
      out_width: (image.1 + 2 * padding.1 - kernel.1) / stride.1 + 1,
      kernel_height: kernel.0, kernel_width: kernel.1, stride_height: stride.0,
      stride_width: stride.1, padding_height: padding.0, padding_width: padding.1)
  }

  /// The places of the image's pixels under the window at (oy, ox), tap by tap; `nil` for padding.
  private func pixels(_ w: apus_window, _ oy: Int, _ ox: Int) -> [Int?] {
    (0..<w.kernel_height * w.kernel_width).map { tap in
      let y = oy * w.stride_height + tap / w.kernel_width - w.padding_height
      let x = ox * w.stride_width + tap % w.kernel_width - w.padding_width
      return y >= 0 && y < w.height && x >= 0 && x < w.width ? y * w.width + x : nil
    }
  }

  /// For every output pixel of two images: the image's number and the pixels under its window.
  private func patches(_ w: apus_window) -> [(image: Int, pixels: [Int?])] {
    (0..<2 * w.out_height * w.out_width).map { p in
      let (image, place) = p.quotientAndRemainder(dividingBy: w.out_height * w.out_width)
      return (image, pixels(w, place / w.out_width, place % w.out_width))
    }
  }

  private func imageCount(_ w: apus_window) -> Int { 2 * w.height * w.width * w.channels }

  @Test("Columns hold what lies under each window, group by group", arguments: windows)
  func columns(window: apus_window) throws {
    var w = window
    let x = numbers(imageCount(w), seed: 1)
    for count in Set([w.channels, (w.channels + 1) / 2]) {
      let first = w.channels - count
      var expected: [Float] = []
      for patch in patches(w) {
        for pixel in patch.pixels {
          for c in first..<w.channels {
            let place = pixel.map { (patch.image * w.height * w.width + $0) * w.channels + c }
            expected.append(place.map { x[$0] } ?? 0)
          }
        }
      }
      let y = try output(expected.count) { kernels.im2col(2, &w, first, count, x, $0) }
      #expect(y == expected)

      // The transpose: ⟨im2col x, d⟩ = ⟨x, col2im d⟩, and other channels are left alone.
      let d = numbers(expected.count, seed: 2)
      let dx = try output(x.count) {
        kernels.fill(x.count, 0, $0)
        if first > 0 { kernels.fill(first, 7, $0) }
        kernels.col2im(2, &w, first, count, d, $0)
      }
      #expect(dx[..<first].allSatisfy { $0 == 7 })
      let rest = dx.enumerated().map { $0 < first ? 0 : $1 }
      #expect(abs(dot(y, d) - dot(x, rest)) < 1e-4)
    }
  }

  @Test(
    "Depthwise convolution is the plain sum, and its gradients its transposes", arguments: windows,
    1...2)
  func depthwise(window: apus_window, multiplier: Int) throws {
    var w = window
    let width = w.channels * multiplier
    let x = numbers(imageCount(w), seed: 1)
    let f = numbers(w.kernel_height * w.kernel_width * width, seed: 2)
    let exact = patches(w).flatMap { patch in
      (0..<width).map { o in
        patch.pixels.enumerated().reduce(0.0) { sum, tap in
          guard let pixel = tap.element else { return sum }
          let place = (patch.image * w.height * w.width + pixel) * w.channels + o / multiplier
          return sum + Double(x[place]) * Double(f[tap.offset * width + o])
        }
      }
    }
    let y = try output(exact.count) { kernels.depthwise(2, &w, multiplier, x, f, $0) }
    #expect(difference(y, exact) < 1e-6)

    let dy = numbers(exact.count, seed: 3)
    let dx = try output(x.count) { kernels.depthwise_input_gradient(2, &w, multiplier, f, dy, $0) }
    #expect(abs(dot(y, dy) - dot(x, dx)) < 1e-4)
    let df = try output(f.count) {
      kernels.fill(f.count, .nan, $0)
      kernels.depthwise_filter_gradient(2, &w, multiplier, 1, x, dy, 0, $0)
    }
    #expect(abs(dot(y, dy) - dot(f, df)) < 1e-4)
    let sunk = try output(f.count) {
      $0.update(from: f, count: f.count)
      kernels.depthwise_filter_gradient(2, &w, multiplier, -2, x, dy, 0.5, $0)
    }
    #expect(difference(sunk, zip(f, df).map { 0.5 * Double($0) - 2 * Double($1) }) < 1e-5)
  }

  @Test(
    "Max pooling takes the first of the largest, and gives the gradient back to it",
    arguments: windows)
  func maximum(window: apus_window) throws {
    var w = window
    let x = numbers(imageCount(w), seed: 1, in: -2...2).map { $0.rounded() }
    let image = w.height * w.width
    let count = 2 * w.out_height * w.out_width * w.channels
    var places = [Int32](repeating: -1, count: count)
    let y = try output(count) { kernels.max_pool(2, &w, 0, x, $0, &places) }
    let dy = numbers(count, seed: 2)
    var gradient = [Double](repeating: 0, count: x.count)
    for (p, patch) in patches(w).enumerated() {
      for c in 0..<w.channels {
        let inside = patch.pixels.compactMap { $0 }
        let values = inside.map { x[(patch.image * image + $0) * w.channels + c] }
        let o = p * w.channels + c
        #expect(y[o] == values.max())
        let place = try #require(values.firstIndex(of: y[o]).map { inside[$0] })
        #expect(Int(places[o]) == place)
        gradient[(patch.image * image + place) * w.channels + c] += Double(dy[o])
      }
    }
    let dx = try output(x.count) { kernels.max_pool_gradient(2, &w, places, nil, dy, $0) }
    #expect(difference(dx, gradient) < 1e-6)

    // Rectified: what pooling after relu gives, to the bit, and the gradient of both.
    let positive = x.map { max($0, 0) }
    let relu = try output(count) { kernels.max_pool(2, &w, 0, positive, $0, &places) }
    let after = try output(x.count) {
      kernels.max_pool_gradient(2, &w, places, nil, dy, $0)
      kernels.activation_gradient(.relu, 0, x.count, positive, $0, $0)
    }
    #expect(try output(count) { kernels.max_pool(2, &w, 1, x, $0, &places) } == relu)
    #expect(
      try output(x.count) { kernels.max_pool_gradient(2, &w, places, relu, dy, $0) } == after)
  }

  @Test("Average pooling divides by all or by what is inside", arguments: windows, [true, false])
  func average(window: apus_window, countsPadding: Bool) throws {
    var w = window
    let flag: Int32 = countsPadding ? 1 : 0
    let x = numbers(imageCount(w), seed: 1)
    let exact = patches(w).flatMap { patch in
      (0..<w.channels).map { c in
        let values = patch.pixels.compactMap { pixel in
          pixel.map { Double(x[(patch.image * w.height * w.width + $0) * w.channels + c]) }
        }
        return values.reduce(0, +) / Double(countsPadding ? patch.pixels.count : values.count)
      }
    }
    let y = try output(exact.count) { kernels.average_pool(2, &w, flag, x, $0) }
    #expect(difference(y, exact) < 1e-6)
    let dy = numbers(exact.count, seed: 2)
    let dx = try output(x.count) { kernels.average_pool_gradient(2, &w, flag, dy, $0) }
    #expect(abs(dot(y, dy) - dot(x, dx)) < 1e-4)
  }
}
