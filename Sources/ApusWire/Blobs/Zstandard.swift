// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CZstd

/// Chunks packed for the way: one zstd frame (RFC 8878) each.
package enum Zstandard {
  /// Bytes packed as one frame.
  ///
  /// - Parameters:
  ///   - bytes: a chunk.
  ///   - level: 1, the fastest, to 19.
  /// - Returns: the frame; nil where it is not smaller than the bytes.
  /// - Allocates: as much as the bytes, and zstd's own state.
  package static func packed(_ bytes: UnsafeRawBufferPointer, level: Int32 = 1) -> [UInt8]? {
    guard bytes.count > 1 else { return nil }
    let limit = bytes.count - 1
    let frame = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      let size = ZSTD_compress(buffer.baseAddress, limit, bytes.baseAddress, bytes.count, level)
      count = ZSTD_isError(size) != 0 ? 0 : size
    }
    return frame.isEmpty ? nil : frame
  }

  /// Unpacks one frame into memory of the caller's, and not a byte more than fits.
  ///
  /// Nothing is allocated for what the frame announces: neither its content nor its window.
  /// - Parameters:
  ///   - frame: exactly one frame.
  ///   - target: where its content goes, which must fill it.
  /// - Throws: `malformed` where it is not one frame whose content has exactly the target's size.
  package static func unpack(
    _ frame: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) throws(WireError) {
    // The frame's own length first: ZSTD_decompress would also take several, and skippable ones.
    let length = ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count)
    guard ZSTD_isError(length) == 0, length == frame.count else {
      throw WireError(.malformed, "A packed chunk is not one whole zstd frame.")
    }
    let size = ZSTD_decompress(target.baseAddress, target.count, frame.baseAddress, frame.count)
    guard ZSTD_isError(size) == 0, size == target.count else {
      throw WireError(
        .malformed,
        "A packed chunk does not unpack to the \(target.count) bytes that its manifest announces.")
    }
  }
}
