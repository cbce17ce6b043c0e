// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// The loops have no branches and no calls in them, so that the compiler makes vectors of them.

extension NumberFormat {
  /// Writes numbers.
  ///
  /// - Parameters:
  ///   - numbers: any, not-a-numbers too.
  ///   - bytes: numbers × ``byteCount``, on no particular boundary.
  /// - Complexity: O(numbers). Allocates nothing.
  package func encode(
    _ numbers: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer
  ) {
    precondition(bytes.count == numbers.count * byteCount, "the bytes are not as many as needed")
    guard let target = bytes.baseAddress, let source = numbers.baseAddress else { return }
    switch self {
    case .float32:
      #if _endian(little)
        target.copyMemory(from: source, byteCount: bytes.count)
      #else
        for i in 0..<numbers.count {
          target.storeBytes(
            of: source[i].bitPattern.littleEndian, toByteOffset: 4 * i, as: UInt32.self)
        }
      #endif
    case .bfloat16:
      for i in 0..<numbers.count {
        let half = Self.bfloat16(source[i].bitPattern).littleEndian
        target.storeBytes(of: half, toByteOffset: 2 * i, as: UInt16.self)
      }
    case .float16:
      for i in 0..<numbers.count {
        let half = Self.float16(source[i].bitPattern).littleEndian
        target.storeBytes(of: half, toByteOffset: 2 * i, as: UInt16.self)
      }
    }
  }

  /// Reads a part of a tensor.
  ///
  /// - Parameters:
  ///   - bytes: the whole tensor, on no particular boundary.
  ///   - range: which of its numbers.
  ///   - numbers: has room for so many.
  /// - Complexity: O(range). Allocates nothing.
  package func decode(
    _ bytes: UnsafeRawBufferPointer, range: Range<Int>, into numbers: UnsafeMutablePointer<Float>
  ) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= bytes.count / byteCount,
      "the tensor does not have these numbers")
    guard let start = bytes.baseAddress else { return }
    let source = start + range.lowerBound * byteCount
    switch self {
    case .float32:
      #if _endian(little)
        UnsafeMutableRawPointer(numbers).copyMemory(from: source, byteCount: range.count * 4)
      #else
        for i in 0..<range.count {
          let bits = source.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)
          numbers[i] = Float(bitPattern: UInt32(littleEndian: bits))
        }
      #endif
    case .bfloat16:
      for i in 0..<range.count {
        let half = source.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)
        numbers[i] = Float(bitPattern: UInt32(UInt16(littleEndian: half)) << 16)
      }
    case .float16:
      for i in 0..<range.count {
        let half = source.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)
        numbers[i] = Self.float(ofHalf: UInt16(littleEndian: half))
      }
    }
  }

  /// Adds half of what is cut off, a little less where the result would be odd.
  @inline(__always)
  private static func bfloat16(_ bits: UInt32) -> UInt16 {
    let isNaN = bits & 0x7fff_ffff > 0x7f80_0000
    let rounded = (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16
    return UInt16(truncatingIfNeeded: isNaN ? bits >> 16 | 0x40 : rounded)
  }

  /// All three ways are computed, and one is chosen.
  @inline(__always)
  private static func float16(_ bits: UInt32) -> UInt16 {
    let sign = bits >> 16 & 0x8000
    let magnitude = bits & 0x7fff_ffff
    // At or above 2^16: infinite, or not a number.
    let large: UInt32 = magnitude > 0x7f80_0000 ? 0x7e00 : 0x7c00
    // Below 2^-14: adding 1/2 shifts what is kept to the lowest bits, and rounds on the way.
    let small = (Float(bitPattern: magnitude) + 0.5).bitPattern &- 0x3f00_0000
    // All others: another bias of the exponent, and half of what is cut off.
    let normal = (magnitude &+ 0xc800_0fff &+ (magnitude >> 13 & 1)) >> 13
    let half = magnitude >= 0x4780_0000 ? large : magnitude < 0x3880_0000 ? small : normal
    return UInt16(truncatingIfNeeded: half | sign)
  }

  @inline(__always)
  private static func float(ofHalf half: UInt16) -> Float {
    let sign = UInt32(half & 0x8000) << 16
    let shifted = UInt32(half & 0x7fff) << 13
    let exponent = shifted & 0x0f80_0000
    let normal = shifted &+ 0x3800_0000
    let infinite = shifted &+ 0x7000_0000
    // 2^-14 is taken away again from what had no leading one.
    let small = (Float(bitPattern: shifted &+ 0x3880_0000) - 0x1p-14).bitPattern
    let bits = exponent == 0x0f80_0000 ? infinite : exponent == 0 ? small : normal
    return Float(bitPattern: bits | sign)
  }
}
