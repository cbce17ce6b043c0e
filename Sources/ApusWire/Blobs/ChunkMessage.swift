// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A `WriteChunk` or `BlobChunk` read in place: what carries a megabyte is not copied to be understood.
///
/// protobuf-c would copy the data twice. Fields are taken as protobuf has it: the last of a kind counts,
/// unknown ones are skipped.
package struct ChunkMessage: Sendable {
  /// Of `WriteChunk`: the blob; nil where it was left out.
  package var digest: BlobDigest?
  /// Of `WriteChunk`: which chunk.
  package var index: UInt32 = 0
  /// Of `BlobChunk`: where the first byte belongs.
  package var offset: UInt64 = 0
  /// Where in the message the data is.
  package var data: Range<Int> = 0..<0
  package var encoding = Proto.Encoding.none
  /// Of `BlobChunk`: in the first message only.
  package var manifest: BlobManifest?

  /// Reads a `WriteChunk`.
  ///
  /// - Throws: `malformed`; `unsupported` for an unknown encoding.
  package init(writeChunk message: UnsafeRawBufferPointer) throws(WireError) {
    var reader = FieldReader(message)
    while let (number, value) = try reader.next() {
      switch (number, value) {
      case (1, .bytes(let bytes)):
        digest = BlobDigest(bytes: bytes)
        guard digest != nil || bytes.isEmpty else {
          throw WireError(.malformed, "A chunk's digest is not 32 bytes.")
        }
      case (2, .varint(let index)): self.index = UInt32(truncatingIfNeeded: index)
      case (3, .bytes(let bytes)): data = Self.range(of: bytes, in: message)
      case (4, .varint(let encoding)): self.encoding = try Self.encoding(encoding)
      case (1...4, _): throw WireError(.malformed, "A chunk's field is of another kind.")
      default: continue
      }
    }
  }

  /// Reads a `BlobChunk`.
  ///
  /// - Throws: `malformed`; `unsupported` for an unknown encoding; what a manifest can be wrong with.
  package init(blobChunk message: UnsafeRawBufferPointer) throws(WireError) {
    var reader = FieldReader(message)
    while let (number, value) = try reader.next() {
      switch (number, value) {
      case (1, .varint(let offset)): self.offset = offset
      case (2, .bytes(let bytes)): data = Self.range(of: bytes, in: message)
      case (3, .varint(let encoding)): self.encoding = try Self.encoding(encoding)
      case (4, .bytes(let bytes)):
        manifest = try BlobManifest(Proto.BlobManifest(decoding: bytes))
      case (1...4, _): throw WireError(.malformed, "A chunk's field is of another kind.")
      default: continue
      }
    }
  }

  /// An encoded `WriteChunk`.
  ///
  /// - Parameters:
  ///   - digest: the blob, in the first message of a stream.
  ///   - index: which chunk.
  ///   - data: the chunk, packed as `encoding` says.
  ///   - encoding: none or zstd.
  /// - Returns: the message.
  /// - Allocates: the message.
  package static func writeChunk(
    digest: BlobDigest?, index: UInt32, data: UnsafeRawBufferPointer,
    encoding: Proto.Encoding = .none
  ) -> [UInt8] {
    var head: [UInt8] = []
    if let digest { append(field: 1, bytes: digest.bytes, to: &head) }
    if index != 0 { append(field: 2, number: UInt64(index), to: &head) }
    if encoding != .none { append(field: 4, number: UInt64(encoding.rawValue), to: &head) }
    return message(head, field: 3, data)
  }

  /// An encoded `BlobChunk`.
  ///
  /// - Parameters:
  ///   - offset: where the first byte belongs.
  ///   - data: the bytes, packed as `encoding` says.
  ///   - encoding: none or zstd.
  ///   - manifest: in the first message.
  /// - Returns: the message.
  /// - Allocates: the message.
  package static func blobChunk(
    offset: UInt64, data: UnsafeRawBufferPointer, encoding: Proto.Encoding = .none,
    manifest: BlobManifest? = nil
  ) -> [UInt8] {
    var head: [UInt8] = []
    if offset != 0 { append(field: 1, number: offset, to: &head) }
    if encoding != .none { append(field: 3, number: UInt64(encoding.rawValue), to: &head) }
    if let manifest {
      append(field: 4, bytes: Proto.BlobManifest(manifest).encoded(), to: &head)
    }
    return message(head, field: 2, data)
  }

  private static func message(
    _ head: [UInt8], field: UInt8, _ data: UnsafeRawBufferPointer
  ) -> [UInt8] {
    var message: [UInt8] = []
    message.reserveCapacity(head.count + 8 + data.count)
    message += head
    if !data.isEmpty {
      message.append(field << 3 | 2)
      append(varint: UInt64(data.count), to: &message)
      message.append(contentsOf: data)
    }
    return message
  }

  private static func append(field: UInt8, number: UInt64, to message: inout [UInt8]) {
    message.append(field << 3)
    append(varint: number, to: &message)
  }

  private static func append(field: UInt8, bytes: [UInt8], to message: inout [UInt8]) {
    message.append(field << 3 | 2)
    append(varint: UInt64(bytes.count), to: &message)
    message += bytes
  }

  private static func append(varint number: UInt64, to message: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
      message.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    message.append(UInt8(rest))
  }

  private static func range(
    of part: UnsafeRawBufferPointer, in message: UnsafeRawBufferPointer
  ) -> Range<Int> {
    guard let start = part.baseAddress, let first = message.baseAddress else { return 0..<0 }
    let offset = start - first
    return offset..<offset + part.count
  }

  private static func encoding(_ number: UInt64) throws(WireError) -> Proto.Encoding {
    let encoding = Proto.Encoding(rawValue: Int32(truncatingIfNeeded: number))
    guard encoding == .none || encoding == .zstd else {
      throw WireError(.unsupported, "A chunk is packed in a way that is not known here.")
    }
    return encoding
  }
}
