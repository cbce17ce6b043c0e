// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// What is known of a value before it is computed.
struct Signature: Hashable, Sendable {
  /// The shape of one example, or the shape where there is one value for the whole batch.
  var shape: Shape
  /// Whether each example has a value of its own.
  var isBatched: Bool
  /// Whether the words are `Int32` indices.
  var isTokens = false

  var count: Int { shape.count }

  /// Bounds on what a graph may declare, so that an untrusted one cannot ask for absurd amounts.
  ///
  /// With the batch, kernels take one axis more.
  static let largestCount = 1 << 31
  static let highestRank = 7

  /// Whether it is a smaller value, the same for all examples, over and over.
  func repeatsRows(of other: Signature) -> Bool {
    let row = other.shape.dimensions.drop { $0 == 1 }
    return !other.isBatched && shape.dimensions.suffix(row.count).elementsEqual(row)
  }

  /// Rows and columns as a product sees them; a vector is one row.
  var rows: Int { shape.rank < 2 ? 1 : shape[-2] }
  var columns: Int { shape.rank == 0 ? 1 : shape[-1] }
}

extension Shape {
  /// As products show them in messages: a vector is one row.
  var asMatrix: Shape { rank == 1 ? [1, self[0]] : self }

  func replacing(axis: Int, by extent: Int) -> Shape {
    var copy = self
    copy.dimensions[axis] = extent
    return copy
  }

  /// The shape that both are broadcast to, aligned at the last axis; nil where there is none.
  func broadcast(with other: Shape) -> Shape? {
    let rank = Swift.max(self.rank, other.rank)
    var extents = [Int](repeating: 1, count: rank)
    for axis in 1...Swift.max(rank, 1) where rank > 0 {
      let a = axis <= self.rank ? self[-axis] : 1
      let b = axis <= other.rank ? other[-axis] : 1
      guard a == b || a == 1 || b == 1 else { return nil }
      extents[rank - axis] = a == 1 ? b : a
    }
    return Shape(extents)
  }

  /// Distances between neighbours along each axis, in elements.
  var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * dimensions[axis + 1]
    }
    return strides
  }
}
