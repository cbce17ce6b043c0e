// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// Takes a blob's bytes piece by piece.
package struct BlobWriter: ~Copyable {
  private let file: BlobFile
  private let limit: UInt64
  private var size: UInt64 = 0
  /// Bytes that are on their way to the disk.
  private var begun: UInt64 = 0
  private var builder: BlobManifest.Builder

  init(file: BlobFile, limit: UInt64, chunkSize: UInt32) {
    self.file = file
    self.limit = limit
    builder = BlobManifest.Builder(chunkSize: chunkSize)
  }

  /// Takes the next bytes.
  ///
  /// - Throws: `disk-full`, `file-system`.
  package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(AggregatorError) {
    precondition(UInt64(bytes.count) <= limit - size, "More bytes come than were announced.")
    // Pieces, so that the disk works while digests are computed, and the bytes are still in the cache.
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 20))
      try file.write(piece, at: size)
      builder.append(piece)
      size += UInt64(piece.count)
      if size - begun >= 4 << 20 {
        file.beginWriting(begun..<size)
        begun = size
      }
      rest = rest.dropFirst(piece.count)
      Failpoint.midBlob.hit()
    }
  }

  consuming func finish() -> BlobManifest { builder.finish() }
}
