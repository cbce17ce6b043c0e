// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusNumerics

/// Vectors as the bytes of a blob, and back.
package struct VectorCodec: Hashable, Sendable {
  package var format: NumberFormat

  package init(_ format: NumberFormat) { self.format = format }

  /// The whole vector.
  ///
  /// - Allocates: count × ``NumberFormat/byteCount`` bytes.
  package func encode(_ vector: ParameterVector) -> [UInt8] {
    let size = vector.count * format.byteCount
    return [UInt8](unsafeUninitializedCapacity: size) { bytes, count in
      let room = UnsafeMutableRawBufferPointer(bytes)
      encode(vector, bytes: 0..<size, into: .init(rebasing: room[..<size]))
      count = size
    }
  }

  /// Lends the whole vector's bytes: those in memory where they are what is written, or a copy.
  package func withEncoded<Value>(
    _ vector: ParameterVector, _ body: (UnsafeRawBufferPointer) throws -> Value
  ) rethrows -> Value {
    #if _endian(little)
      if format == .float32 {
        return try vector.withUnsafeBufferPointer { try body(UnsafeRawBufferPointer($0)) }
      }
    #endif
    return try encode(vector).withUnsafeBytes(body)
  }

  /// A part of what the vector is written as, so that no copy of all of it is needed.
  ///
  /// - Parameters:
  ///   - vector: the numbers.
  ///   - range: of bytes, on boundaries of numbers.
  ///   - bytes: has as many bytes as the range.
  package func encode(
    _ vector: ParameterVector, bytes range: Range<Int>, into bytes: UnsafeMutableRawBufferPointer
  ) {
    let size = format.byteCount
    precondition(
      range.lowerBound % size == 0 && range.upperBound % size == 0,
      "\(range) divides a number of \(size) bytes")
    vector.withUnsafeBufferPointer { numbers in
      let part = range.lowerBound / size..<range.upperBound / size
      format.encode(UnsafeBufferPointer(rebasing: numbers[part]), into: bytes)
    }
  }

  /// The vector that these bytes are.
  ///
  /// - Throws: `malformed` where they are not `count` numbers. What the numbers are is not looked at.
  package func decode(
    _ bytes: UnsafeRawBufferPointer, count: Int
  ) throws(WireError) -> ParameterVector {
    let (size, isTooLarge) = count.multipliedReportingOverflow(by: format.byteCount)
    guard count >= 0, !isTooLarge, bytes.count == size else {
      throw WireError(
        .malformed, "\(bytes.count) bytes are not \(count) numbers of \(format.byteCount) bytes")
    }
    var vector = ParameterVector(count: count)
    vector.withUnsafeMutableBufferPointer { numbers in
      guard let start = numbers.baseAddress else { return }
      format.decode(bytes, range: 0..<count, into: start)
    }
    return vector
  }

  /// The vector that these bytes are; see above.
  package func decode(_ bytes: [UInt8], count: Int) throws(WireError) -> ParameterVector {
    try bytes.withUnsafeBufferPointer { buffer throws(WireError) in
      try decode(UnsafeRawBufferPointer(buffer), count: count)
    }
  }
}
