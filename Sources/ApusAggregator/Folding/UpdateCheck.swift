// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
package import ApusWire

/// Whether an update can be counted.
///
/// What is refused has a code, which is all that is told of it: never a number of an update.
package struct UpdateCheck: Sendable {
  var layoutDigest: [UInt8]
  var parameterCount: Int
  var format: NumberFormat
  /// The greatest magnitude of a coordinate.
  var coordinateBound: Float
  /// The greatest Euclidean norm; 0 for none.
  var normBound: Double
  var weightBound: UInt64

  package init(
    layoutDigest: [UInt8], parameterCount: Int, format: NumberFormat, coordinateBound: Float,
    normBound: Double, weightBound: UInt64
  ) {
    self.layoutDigest = layoutDigest
    self.parameterCount = parameterCount
    self.format = format
    self.coordinateBound = coordinateBound
    self.normBound = normBound
    self.weightBound = weightBound
  }

  /// Why an update is refused.
  package enum Refusal: String, Hashable, Sendable, CaseIterable {
    case wrongLayout = "wrong-layout"
    case wrongType = "wrong-type"
    case wrongLength = "wrong-length"
    case weightOutOfBounds = "weight-out-of-bounds"
    case notFinite = "not-finite"
    case outOfBounds = "out-of-bounds"
    case normBeyondBound = "norm-beyond-bound"
  }

  /// What can be told from the message and the blob's size.
  func refusal(of update: Proto.Update, byteCount: UInt64) -> Refusal? {
    guard update.layoutDigest == layoutDigest else { return .wrongLayout }
    guard NumberFormat(update.type) == format else { return .wrongType }
    let expected = UInt64(parameterCount) * UInt64(format.byteCount)
    guard update.count == UInt64(parameterCount), byteCount == expected else {
      return .wrongLength
    }
    guard update.weight >= 1, update.weight <= weightBound else { return .weightOutOfBounds }
    return nil
  }

  /// Numbers that are looked at together; 64 KB when they are decoded.
  private static let blockLength = 1 << 14

  /// What can be told from the numbers.
  ///
  /// - Parameter bytes: as long as the layout and the format say.
  /// - Returns: nil where it can be counted.
  /// - Complexity: one pass; two reads of each block while it is in a cache.
  package func refusal(of bytes: UnsafeRawBufferPointer) -> Refusal? {
    let slack = 1 + 1e-6
    var (greatest, squares): (Float, Double) = (0, 0)
    let scratch = UnsafeMutableBufferPointer<Float>.allocate(capacity: Self.blockLength)
    defer { scratch.deallocate() }
    guard let into = scratch.baseAddress else { return nil }
    let inPlace = bytes.assumingMemoryBound(to: Float.self)
    for first in stride(from: 0, to: parameterCount, by: Self.blockLength) {
      let range = first..<min(first + Self.blockLength, parameterCount)
      let block: UnsafeBufferPointer<Float>
      if format == .float32 {
        block = UnsafeBufferPointer(rebasing: inPlace[range])
      } else {
        format.decode(bytes, range: range, into: into)
        block = UnsafeBufferPointer(rebasing: scratch[..<range.count])
      }
      let magnitude = NumberScan.greatestMagnitude(block)
      guard magnitude.isFinite else { return .notFinite }
      greatest = max(greatest, magnitude)
      if normBound > 0 { squares += NumberScan.squaredNorm(block) }
    }
    if greatest > coordinateBound { return .outOfBounds }
    // The device's own sum may be rounded otherwise.
    if normBound > 0, squares.squareRoot() > normBound * slack { return .normBeyondBound }
    return nil
  }
}
