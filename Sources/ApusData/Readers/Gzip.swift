// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CZlib

/// Inflates gzip files into memory, never to more than they are allowed.
///
/// > P. Deutsch. "GZIP file format specification version 4.3." RFC 1952.
enum Gzip {
  /// Whether the bytes begin as a gzip file does.
  static func isCompressed(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    bytes.count >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B
  }

  /// All that the file inflates to.
  ///
  /// - Parameters:
  ///   - bytes: the file: one member or several.
  ///   - name: the file's, for messages.
  ///   - limit: inflating stops with an error when there is more than this.
  /// - Returns: the inflated bytes; every member's checksum was right.
  /// - Throws: `corrupt-gzip`, `too-large`.
  static func inflate(
    _ bytes: UnsafeBufferPointer<UInt8>, name: String, limit: Int
  ) throws(DataError) -> ByteRegion {
    // The last four bytes tell the length; they may lie, so they only decide how much to begin
    // with. One byte of output takes at least 1/1032 byte of input, and one byte more than the
    // limit is asked for to see that there is more.
    let hint = bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    let most = limit < Int.max ? limit + 1 : limit
    let start = min(hint + 1, bytes.count.multipliedReportingOverflow(by: 1032).partialValue + 64)
    var stream = try GzipStream(bytes, name: name)
    var memory = GrowingMemory(capacity: max(min(start, most), 64))
    while try !stream.isAtEnd(reading: &memory) {
      if memory.count > limit {
        throw DataError(
          .tooLarge, file: name,
          "inflates to more than \(limit) bytes, which is all that it should hold. "
            + "It is not the file that it should be, or it was made to exhaust memory.")
      }
      if memory.isFull { memory.grow(limit: most) }
    }
    guard memory.count <= limit else {
      throw DataError(
        .tooLarge, file: name,
        "inflates to \(memory.count) bytes, more than the \(limit) that it should hold.")
    }
    return memory.region()
  }

  /// The first bytes that the file inflates to; fewer when there are no more.
  static func prefix(
    of bytes: UnsafeBufferPointer<UInt8>, count: Int, name: String
  ) throws(DataError) -> [UInt8] {
    var stream = try GzipStream(bytes, name: name)
    var memory = GrowingMemory(capacity: max(count, 1))
    while !memory.isFull {
      if try stream.isAtEnd(reading: &memory) { break }
    }
    return memory.region().withBytes { Array($0.prefix(count)) }
  }
}

/// Memory that is filled from its start and can be made longer.
private struct GrowingMemory: ~Copyable {
  private var base: UnsafeMutableRawPointer
  private(set) var capacity: Int
  var count = 0

  init(capacity: Int) {
    base = .allocate(byteCount: capacity, alignment: 64)
    self.capacity = capacity
  }

  deinit { base.deallocate() }

  var isFull: Bool { count == capacity }
  var free: UnsafeMutableRawPointer { base + count }

  mutating func grow(limit: Int) {
    resize(to: min(max(capacity * 2, 1 << 16), max(limit, capacity)))
  }

  private mutating func resize(to newCapacity: Int) {
    let longer = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 64)
    longer.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = longer
    capacity = newCapacity
  }

  /// What was filled; the memory itself, unless much of it is empty.
  consuming func region() -> ByteRegion {
    if capacity - count > capacity / 8 { resize(to: max(count, 1)) }
    let region = ByteRegion(adopting: base, count: count)
    discard self
    return region
  }
}

/// zlib's state on the way through a file.
private struct GzipStream: ~Copyable {
  // In memory of its own: zlib remembers where it is.
  private let stream: UnsafeMutablePointer<z_stream>
  private let bytes: UnsafeBufferPointer<UInt8>
  private let name: String
  private var position = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>, name: String) throws(DataError) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    self.bytes = bytes
    self.name = name
    // 15 bits of window, and 16 for the gzip header.
    let status = inflateInit2_(
      stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else {
      throw DataError(.fileSystem, file: name, "zlib could not start (status \(status)).")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Inflates until the memory is full or the file is done.
  mutating func isAtEnd(reading memory: inout GrowingMemory) throws(DataError) -> Bool {
    while !memory.isFull {
      let input = min(bytes.count - position, 1 << 30)
      let output = min(memory.capacity - memory.count, 1 << 30)
      stream.pointee.next_in = bytes.baseAddress.map {
        UnsafeMutablePointer(mutating: $0 + position)
      }
      stream.pointee.avail_in = UInt32(input)
      stream.pointee.next_out = memory.free.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(output)
      let status = CZlib.inflate(stream, Z_NO_FLUSH)
      position += input - Int(stream.pointee.avail_in)
      memory.count += output - Int(stream.pointee.avail_out)
      switch status {
      case Z_OK: continue
      case Z_STREAM_END:
        if position == bytes.count { return true }
        guard Gzip.isCompressed(UnsafeBufferPointer(rebasing: bytes[position...])) else {
          throw DataError(
            .corruptGzip, file: name,
            "\(bytes.count - position) bytes follow the end of the gzip data. "
              + "Was something appended? Get the file again.")
        }
        inflateReset(stream)
      case Z_BUF_ERROR:
        throw DataError(
          .corruptGzip, file: name,
          "is cut off: the gzip data do not end within its \(bytes.count) bytes. "
            + "Get the file again.")
      default:
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "status \(status)"
        throw DataError(
          .corruptGzip, file: name,
          "is damaged: gzip reports \(reason) at byte \(position). Get the file again.")
      }
    }
    return false
  }
}
