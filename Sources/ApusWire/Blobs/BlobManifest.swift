// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// What is known of a blob before its bytes: their number, and the digest of every chunk.
///
/// Every chunk can be checked alone, in any order, by whoever has the manifest; and the manifest by
/// whoever has the blob's digest.
package struct BlobManifest: Hashable, Sendable {
  /// What chunks are cut to where nothing speaks against it: 1 MiB.
  package static let usualChunkSize: UInt32 = 1 << 20
  /// What chunks may be cut to.
  package static let chunkSizes: ClosedRange<UInt32> = 1 << 16...1 << 22
  /// How many chunks a blob may have: 100,000, so that its manifest fits into a message.
  package static let chunkCountLimit = 100_000

  /// Bytes in all.
  package let size: UInt64
  /// Bytes in a chunk, but for the last.
  package let chunkSize: UInt32
  /// 32 bytes each, one after the other.
  package let chunkDigests: [UInt8]
  /// SHA-256 of "apus-blob-v1", size, chunk size (little-endian) and the chunks' digests.
  package let digest: BlobDigest

  /// - Throws: `invalid-value` where the sizes do not fit each other or are out of their range.
  package init(size: UInt64, chunkSize: UInt32, chunkDigests: [UInt8]) throws(WireError) {
    guard Self.chunkSizes.contains(chunkSize) else {
      throw WireError(
        .invalidValue,
        "A blob is cut into chunks of \(chunkSize) bytes; \(Self.chunkSizes) are possible.")
    }
    let count = size / UInt64(chunkSize) + (size % UInt64(chunkSize) == 0 ? 0 : 1)
    guard count <= UInt64(Self.chunkCountLimit) else {
      throw WireError(
        .beyondLimit,
        "A blob has \(count) chunks; \(Self.chunkCountLimit) are possible. Use larger chunks.")
    }
    guard UInt64(chunkDigests.count) == count * 32 else {
      throw WireError(
        .invalidValue,
        "A blob of \(count) chunks has \(chunkDigests.count) bytes of digests, not 32 each.")
    }
    self.init(checkedSize: size, chunkSize: chunkSize, chunkDigests: chunkDigests)
  }

  private init(checkedSize size: UInt64, chunkSize: UInt32, chunkDigests: [UInt8]) {
    self.size = size
    self.chunkSize = chunkSize
    self.chunkDigests = chunkDigests
    var hash = SHA256()
    Array("apus-blob-v1".utf8).withUnsafeBytes { hash.update($0) }
    withUnsafeBytes(of: size.littleEndian) { hash.update($0) }
    withUnsafeBytes(of: chunkSize.littleEndian) { hash.update($0) }
    chunkDigests.withUnsafeBytes { hash.update($0) }
    guard let digest = BlobDigest(bytes: hash.finalize()) else {
      preconditionFailure("SHA-256 does not have 32 bytes.")
    }
    self.digest = digest
  }

  /// Of bytes that are in memory.
  ///
  /// - Precondition: `chunkSize` is possible, and the chunks are not too many.
  /// - Complexity: O(bytes).
  package init(
    of bytes: UnsafeRawBufferPointer, chunkSize: UInt32 = BlobManifest.usualChunkSize
  ) {
    var builder = Builder(chunkSize: chunkSize)
    builder.append(bytes)
    self = builder.finish()
  }

  package init(of bytes: [UInt8], chunkSize: UInt32 = BlobManifest.usualChunkSize) {
    self = bytes.withUnsafeBytes { BlobManifest(of: $0, chunkSize: chunkSize) }
  }

  package var chunkCount: Int { chunkDigests.count / 32 }

  /// Where a chunk's bytes are in the blob.
  package func range(ofChunk index: Int) -> Range<UInt64> {
    precondition((0..<chunkCount).contains(index), "There is no chunk \(index).")
    let start = UInt64(index) * UInt64(chunkSize)
    return start..<min(start + UInt64(chunkSize), size)
  }

  /// The 32 bytes of a chunk's digest.
  package func digest(ofChunk index: Int) -> ArraySlice<UInt8> {
    chunkDigests[index * 32..<index * 32 + 32]
  }

  /// Whether a chunk of the usual size is nothing but zeros, which a file need not hold.
  package func isHole(_ index: Int) -> Bool {
    let range = range(ofChunk: index)
    return range.upperBound - range.lowerBound == UInt64(Self.usualChunkSize)
      && digest(ofChunk: index).elementsEqual(Self.digestOfZeros)
  }

  package var hasHoles: Bool { (0..<chunkCount).contains { isHole($0) } }

  private static let digestOfZeros = BlobManifest(
    of: [UInt8](repeating: 0, count: Int(usualChunkSize))
  ).chunkDigests

  /// Whether these are a chunk's bytes.
  ///
  /// - Complexity: O(bytes).
  package func verifies(_ bytes: UnsafeRawBufferPointer, asChunk index: Int) -> Bool {
    guard (0..<chunkCount).contains(index) else { return false }
    let range = range(ofChunk: index)
    guard UInt64(bytes.count) == range.upperBound - range.lowerBound else { return false }
    var hash = SHA256()
    hash.update(bytes)
    return hash.finalize().elementsEqual(digest(ofChunk: index))
  }

  /// Makes a manifest of bytes that come in pieces.
  package struct Builder: ~Copyable {
    private let chunkSize: UInt32
    private var size: UInt64 = 0
    private var digests: [UInt8] = []
    private var hash = SHA256()
    private var filled = 0

    /// - Precondition: `chunkSize` is possible.
    package init(chunkSize: UInt32 = BlobManifest.usualChunkSize) {
      precondition(BlobManifest.chunkSizes.contains(chunkSize), "Chunks cannot have this size.")
      self.chunkSize = chunkSize
    }

    /// Takes the next bytes.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
      var rest = bytes[...]
      while !rest.isEmpty {
        let part = rest.prefix(Int(chunkSize) - filled)
        hash.update(UnsafeRawBufferPointer(rebasing: part))
        filled += part.count
        size += UInt64(part.count)
        rest = rest.dropFirst(part.count)
        if filled == Int(chunkSize) { endChunk() }
      }
    }

    /// The manifest of all that was taken.
    ///
    /// - Precondition: the chunks are not too many.
    package consuming func finish() -> BlobManifest {
      if filled > 0 { endChunk() }
      precondition(
        digests.count / 32 <= BlobManifest.chunkCountLimit, "A blob has too many chunks.")
      return BlobManifest(checkedSize: size, chunkSize: chunkSize, chunkDigests: digests)
    }

    private mutating func endChunk() {
      let done = exchange(&hash, with: SHA256())
      digests += done.finalize()
      filled = 0
    }
  }
}

extension BlobManifest {
  /// Checks what came over the wire.
  ///
  /// - Throws: `invalid-value`, `beyond-limit`.
  package init(_ message: Proto.BlobManifest) throws(WireError) {
    try self.init(
      size: message.size, chunkSize: message.chunkSize, chunkDigests: message.chunkDigests)
  }
}

extension Proto.BlobManifest {
  package init(_ manifest: BlobManifest) {
    self.init {
      $0.size = manifest.size
      $0.chunkSize = manifest.chunkSize
      $0.chunkDigests = manifest.chunkDigests
    }
  }
}
