// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// Extents and strides of some arrays under the same loops, the batch being the first axis.
///
/// Made once; when a step runs, only the number of examples is filled in.
final class StridedLayout {
  let rank: Int
  private(set) var extents: UnsafeMutablePointer<Int>
  private let allStrides: [UnsafeMutablePointer<Int>]

  /// - Parameters:
  ///   - shape: the extents of the loops, without the batch.
  ///   - strides: for each array, its stride along the batch and along each axis.
  init(_ shape: Shape, strides: [[Int]]) {
    rank = shape.rank + 1
    extents = .allocate(capacity: rank)
    extents.initialize(to: 1)
    for (axis, extent) in shape.dimensions.enumerated() {
      (extents + axis + 1).initialize(to: extent)
    }
    allStrides = strides.map { strides in
      let pointer = UnsafeMutablePointer<Int>.allocate(capacity: strides.count)
      for (axis, stride) in strides.enumerated() { (pointer + axis).initialize(to: stride) }
      return pointer
    }
  }

  deinit {
    extents.deallocate()
    for strides in allStrides { strides.deallocate() }
  }

  /// The strides of an array.
  func strides(_ array: Int) -> UnsafePointer<Int> { UnsafePointer(allStrides[array]) }

  /// The strides with which a value is read as if it were broadcast to a shape.
  static func broadcastStrides(_ signature: Signature, to shape: Shape) -> [Int] {
    let own = signature.shape
    let strides = own.strides
    let missing = shape.rank - own.rank
    return [signature.isBatched ? signature.count : 0]
      + (0..<shape.rank).map { axis in
        axis < missing || own[axis - missing] == 1 ? 0 : strides[axis - missing]
      }
  }

  /// The strides of a contiguous value.
  static func strides(of signature: Signature) -> [Int] {
    [signature.isBatched ? signature.count : 0] + signature.shape.strides
  }
}
