// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Reads the fields of a message in place, one after the other.
struct FieldReader {
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    /// A part of the bytes that are read.
    case bytes(UnsafeRawBufferPointer)
  }

  private let bytes: UnsafeRawBufferPointer
  private var place = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The next field; nil at the end.
  mutating func next() throws(WireError) -> (number: UInt32, value: Value)? {
    guard place < bytes.count else { return nil }
    let tag = try varint()
    guard let number = UInt32(exactly: tag >> 3), (1..<(1 << 29)).contains(number) else {
      throw WireError(.malformed, "a message has a field with an impossible number")
    }
    switch tag & 7 {
    case 0: return (number, .varint(try varint()))
    case 1: return (number, .fixed64(UInt64(littleEndian: try fixed(UInt64.self))))
    case 2:
      let length = try varint()
      guard length <= UInt64(bytes.count - place) else {
        throw WireError(.malformed, "a message is truncated")
      }
      defer { place += Int(length) }
      return (number, .bytes(.init(rebasing: bytes[place..<(place + Int(length))])))
    case 5: return (number, .fixed32(UInt32(littleEndian: try fixed(UInt32.self))))
    default: throw WireError(.malformed, "a message has a field of an unknown kind")
    }
  }

  private mutating func fixed<Number: BitwiseCopyable>(
    _ type: Number.Type
  ) throws(WireError) -> Number {
    let size = MemoryLayout<Number>.size
    guard bytes.count - place >= size else {
      throw WireError(.malformed, "a message is truncated")
    }
    defer { place += size }
    return bytes.loadUnaligned(fromByteOffset: place, as: type)
  }

  private mutating func varint() throws(WireError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      guard place < bytes.count else { break }
      let byte = bytes[place]
      place += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw WireError(.malformed, "a message is truncated, or a number in it too long")
  }
}
