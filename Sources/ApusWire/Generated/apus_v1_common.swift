// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// Made from protocols/apus/v1/common.proto by scripts/protocols; not to be edited.
// swift-format-ignore-file

internal import ApusProtocols

extension Proto {
  /// When to come back. In every answer that a device gets, errors included (there as google.rpc.RetryInfo, whose
  /// delay is drawn from the window by the server).
  package struct RetryWindow: Hashable, Sendable {
    /// Milliseconds from now; the device draws a moment in min_ms...max_ms uniformly.
    package var minMs: UInt64 = 0
    package var maxMs: UInt64 = 0

    package init() {}
  }
}

extension Proto {
  /// How the numbers of a tensor are written; all little-endian.
  package struct DataType: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let unspecified = DataType(rawValue: 0)
    /// IEEE 754 binary32.
    package static let float32 = DataType(rawValue: 1)
    /// The upper half of a binary32, rounded to nearest, ties to even.
    package static let bfloat16 = DataType(rawValue: 2)
    /// IEEE 754 binary16.
    package static let float16 = DataType(rawValue: 3)
    /// Two's complement, 32 bits: tokens and classes.
    package static let int32 = DataType(rawValue: 4)
    /// One byte, 0...255: pixels.
    package static let uint8 = DataType(rawValue: 5)
  }
}

extension Proto {
  /// How bytes are packed for the way.
  package struct Encoding: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let none = Encoding(rawValue: 0)
    /// One zstd frame (RFC 8878) per chunk; digests are of the unpacked bytes.
    package static let zstd = Encoding(rawValue: 1)
  }
}

extension Proto {
  /// An array in a blob: where its bytes are and what they mean.
  package struct Tensor: Hashable, Sendable {
    /// Unique within the blob, at most 1,000 bytes, for example conv1.weight.
    package var name: String = ""
    package var type: Proto.DataType = Proto.DataType(rawValue: 0)
    /// Extents, outermost first; empty for a single number.
    package var shape: [UInt64] = []
    /// The first byte in the blob, and how many bytes: the product of the extents times the size of the type.
    package var offset: UInt64 = 0
    package var length: UInt64 = 0

    package init() {}
  }
}

extension Proto {
  /// A number that a device or the aggregator measured.
  package struct Metric: Hashable, Sendable {
    /// For example training_loss.
    package var name: String = ""
    package var value: Double = 0

    package init() {}
  }
}

extension Proto.RetryWindow: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__RetryWindow>) { apus__v1__retry_window__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__RetryWindow>, _ arena: MessageArena) {
    c.pointee.min_ms = minMs
    c.pointee.max_ms = maxMs
  }

  init(copying c: UnsafePointer<Apus__V1__RetryWindow>) throws(WireError) {
    minMs = c.pointee.min_ms
    maxMs = c.pointee.max_ms
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Tensor: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Tensor>) { apus__v1__tensor__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Tensor>, _ arena: MessageArena) {
    c.pointee.name = arena.string(name)
    c.pointee.type = .init(rawValue: UInt32(bitPattern: type.rawValue))
    (c.pointee.n_shape, c.pointee.shape) = arena.numbers(shape)
    c.pointee.offset = offset
    c.pointee.length = length
  }

  init(copying c: UnsafePointer<Apus__V1__Tensor>) throws(WireError) {
    name = try copied(string: c.pointee.name)
    type = Proto.DataType(rawValue: Int32(bitPattern: c.pointee.type.rawValue))
    shape = copied(numbers: c.pointee.n_shape, c.pointee.shape)
    offset = c.pointee.offset
    length = c.pointee.length
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Metric: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Metric>) { apus__v1__metric__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Metric>, _ arena: MessageArena) {
    c.pointee.name = arena.string(name)
    c.pointee.value = value
  }

  init(copying c: UnsafePointer<Apus__V1__Metric>) throws(WireError) {
    name = try copied(string: c.pointee.name)
    value = c.pointee.value
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}
