// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// How a window of a convolution or of pooling moves over an image of height × width × channels.
public struct Window: Codable, Hashable, Sendable {
  /// Two extents, down and across.
  public struct Extent: Codable, Hashable, Sendable {
    public let height: Int
    public let width: Int

    public init(_ height: Int, _ width: Int) {
      self.height = height
      self.width = width
    }
  }

  public let size: Extent
  public let stride: Extent
  /// Rows above and columns to the left of the image.
  public let paddingBefore: Extent
  /// Rows below and columns to the right of the image.
  public let paddingAfter: Extent

  /// As it came over a wire; that it makes sense is checked with the graph that it is in.
  package init(size: Extent, stride: Extent, paddingBefore: Extent, paddingAfter: Extent) {
    self.size = size
    self.stride = stride
    self.paddingBefore = paddingBefore
    self.paddingAfter = paddingAfter
  }

  init(size: Extent, stride: Extent, padding: Padding, over image: Shape) {
    self.size = size
    self.stride = stride
    let (top, bottom) = padding.amounts(size: size.height, stride: stride.height, of: image[0])
    let (left, right) = padding.amounts(size: size.width, stride: stride.width, of: image[1])
    paddingBefore = Extent(top, left)
    paddingAfter = Extent(bottom, right)
  }

  /// How many places the window has on an image; nil where it does not fit or makes no sense.
  func places(on height: Int, _ width: Int) -> Extent? {
    let limit = 1 << 24
    let extents = [size, stride, paddingBefore, paddingAfter]
    guard extents.allSatisfy({ 0..<limit ~= $0.height && 0..<limit ~= $0.width }),
      size.height > 0, size.width > 0, stride.height > 0, stride.width > 0,
      0..<limit ~= height, 0..<limit ~= width
    else { return nil }
    // A window that could lie in the padding alone has no numbers to look at.
    guard paddingBefore.height < size.height, paddingBefore.width < size.width,
      paddingAfter.height < size.height, paddingAfter.width < size.width
    else { return nil }
    let free = Extent(
      height + paddingBefore.height + paddingAfter.height - size.height,
      width + paddingBefore.width + paddingAfter.width - size.width)
    guard free.height >= 0, free.width >= 0, height > 0, width > 0 else { return nil }
    return Extent(free.height / stride.height + 1, free.width / stride.width + 1)
  }
}

/// What surrounds an image before a window moves over it.
public enum Padding: Hashable, Sendable {
  /// Nothing.
  case valid
  /// As much as makes the output ⌈input / stride⌉ large; where it is odd, the extra goes behind.
  case same
  /// As many rows and columns on every side.
  case amount(Int)

  func amounts(size: Int, stride: Int, of extent: Int) -> (before: Int, after: Int) {
    switch self {
    case .valid: return (0, 0)
    case .amount(let amount): return (amount, amount)
    case .same:
      guard stride > 0, extent > 0 else { return (0, 0) }
      let total = max(((extent + stride - 1) / stride - 1) * stride + size - extent, 0)
      return (total / 2, total - total / 2)
    }
  }
}
