// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// The largest number in each window of an image, height × width × channels.
public final class MaxPool: Layer {
  let size: Int
  let stride: Int
  let padding: Padding

  /// - Parameters:
  ///   - size: the window's height and width.
  ///   - stride: how far it moves; nil for its size.
  ///   - padding: what surrounds the image; it does not count.
  public init(_ size: Int, stride: Int? = nil, padding: Padding = .valid) {
    self.size = size
    self.stride = stride ?? size
    self.padding = padding
  }

  public func callAsFunction(_ input: Symbol) -> Symbol {
    input.within(self) { input.maxPooled(by: size, stride: stride, padding: padding) }
  }
}

/// The mean of each window of an image, height × width × channels.
public final class AveragePool: Layer {
  let size: Int
  let stride: Int
  let padding: Padding

  /// - Parameters:
  ///   - size: the window's height and width.
  ///   - stride: how far it moves; nil for its size.
  ///   - padding: zeros around the image; they count.
  public init(_ size: Int, stride: Int? = nil, padding: Padding = .valid) {
    self.size = size
    self.stride = stride ?? size
    self.padding = padding
  }

  public func callAsFunction(_ input: Symbol) -> Symbol {
    input.within(self) { input.averagePooled(by: size, stride: stride, padding: padding) }
  }
}

/// The mean of each channel over an image: channels × 1.
public final class GlobalAveragePool: Layer {
  public init() {}

  public func callAsFunction(_ input: Symbol) -> Symbol {
    input.within(self) {
      guard input.shape.rank == 3 else {
        return input.failing("globalAveragePool of \(input.shape): it takes three axes")
      }
      return input.mean(over: [0, 1])
    }
  }
}
