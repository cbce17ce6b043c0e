// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

extension Symbol {
  /// Over the last axis.
  public func softmax() -> Symbol { applying(.softmax) }
  /// Over the last axis.
  public func logSoftmax() -> Symbol { applying(.logSoftmax) }

  /// The activation of each element.
  public func activated(_ activation: Activation) -> Symbol {
    activation.function.map { applying(.unary($0)) } ?? self
  }

  /// The convolution of an image, height × width × channels, with filters.
  ///
  /// - Parameters:
  ///   - filters: height × width × channels/groups × outputs.
  ///   - stride: how far the window moves, down and across.
  ///   - padding: what surrounds the image.
  ///   - groups: into how many groups the channels are divided, each with filters of its own.
  /// - Returns: height × width × outputs.
  public func convolved(
    with filters: Symbol, stride: Int = 1, padding: Padding = .valid, groups: Int = 1
  ) -> Symbol {
    guard shape.rank == 3, filters.shape.rank == 4 else {
      return failing(
        "convolution of \(shape) with \(filters.shape): it takes height × width × channels and four"
          + " axes of filters")
    }
    let window = Window(
      size: .init(filters.shape[0], filters.shape[1]), stride: .init(stride, stride),
      padding: padding, over: shape)
    return applying(.convolution(window, groups: groups), filters)
  }

  /// The largest number in each window of an image, height × width × channels.
  ///
  /// - Parameters:
  ///   - size: the window's height and width.
  ///   - stride: how far it moves; nil for its size.
  ///   - padding: what surrounds the image; it does not count.
  /// - Returns: a smaller image of as many channels.
  public func maxPooled(by size: Int, stride: Int? = nil, padding: Padding = .valid) -> Symbol {
    guard shape.rank == 3 else { return failing("maxPool of \(shape): it takes three axes") }
    return applying(.maxPool(window(size, stride, padding)))
  }

  /// The mean of each window of an image, height × width × channels.
  ///
  /// - Parameters:
  ///   - size: the window's height and width.
  ///   - stride: how far it moves; nil for its size.
  ///   - padding: zeros around the image; they count.
  /// - Returns: a smaller image of as many channels.
  public func averagePooled(by size: Int, stride: Int? = nil, padding: Padding = .valid) -> Symbol {
    guard shape.rank == 3 else { return failing("averagePool of \(shape): it takes three axes") }
    return applying(.averagePool(window(size, stride, padding)))
  }

  private func window(_ size: Int, _ stride: Int?, _ padding: Padding) -> Window {
    Window(
      size: .init(size, size), stride: .init(stride ?? size, stride ?? size), padding: padding,
      over: shape)
  }

  /// (x − mean) / √(variance + ε) over the last axes.
  public func layerNormalized(axes: Int = 1, epsilon: Float = 1e-5) -> Symbol {
    applying(.layerNormalization(axes: axes, epsilon: epsilon))
  }

  /// (x − mean) / √(variance + ε) over groups of channels at all places.
  public func groupNormalized(groups: Int, epsilon: Float = 1e-5) -> Symbol {
    applying(.groupNormalization(groups: groups, epsilon: epsilon))
  }

  /// In training, zeroes elements at this rate and scales the others up.
  public func droppedOut(rate: Float) -> Symbol {
    rate == 0 ? self : applying(.dropout(rate: rate, ordinal: tracer.nextDropout()))
  }
}
