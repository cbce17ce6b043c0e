// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One blob on its way to the device.
///
/// A chunk is verified before it is written, so whatever is in the file is right; what came of the next one is
/// kept in memory. After a lost connection the download goes on at the next byte, after a restart of the device
/// at the next chunk.
actor BlobDownload {
  private let manifest: BlobManifest
  private let cache: BlobCache
  /// Chunks that are written.
  private var chunkCount: Int
  /// Of these, those that an earlier attempt has written.
  let verifiedCount: Int
  /// Bytes of the next chunk.
  private var pending: [UInt8] = []
  /// Bytes that came over the wire.
  private(set) var receivedCount = 0

  /// - Parameters:
  ///   - manifest: of what is to come.
  ///   - cache: where it goes.
  ///   - digests: blobs whose files must stay.
  init(_ manifest: BlobManifest, into cache: BlobCache, keeping digests: Set<BlobDigest> = []) {
    self.manifest = manifest
    self.cache = cache
    let part = cache.part(manifest.digest)
    let isNew = !StateFile.exists(part) && cache.recycle(for: manifest, keeping: digests)
    verifiedCount = isNew ? 0 : Self.verifiedChunkCount(manifest, in: part)
    chunkCount = verifiedCount
  }

  /// How many chunks from the beginning an earlier attempt has written.
  private static func verifiedChunkCount(_ manifest: BlobManifest, in path: String) -> Int {
    guard let file = MappedFile(path) else { return 0 }
    var count = 0
    while count < manifest.chunkCount {
      let range = manifest.range(ofChunk: count)
      guard range.upperBound <= UInt64(file.bytes.count),
        manifest.verifies(file[range], asChunk: count)
      else { break }
      count += 1
    }
    return count
  }

  /// Fetches what misses, and gives the file its name.
  ///
  /// - Throws: the call's status; `dataLoss` for bytes that are not the blob's; `resourceExhausted` where they
  ///   cannot be written.
  func run(over channel: any Channel, watch: TransferWatch) async throws(RPCError) {
    if chunkCount < manifest.chunkCount {
      let start = manifest.range(ofChunk: chunkCount).lowerBound
      let request = Proto.ReadBlobRequest {
        $0.digest = manifest.digest.bytes
        $0.offset = start + UInt64(pending.count)
        $0.acceptsZstd = true
      }
      let stream = try await channel.stream(BlobsMethods.readBlob, request, timeout: nil)
      watch.follow({ stream.movedByteCount }, onStall: { stream.cancel() })
      while chunkCount < manifest.chunkCount, let message = try await stream.next() {
        watch.advance()
        try take(message)
      }
      guard chunkCount == manifest.chunkCount else {
        throw RPCError(.unavailable, "The download ended before its end.")
      }
    }
    try finish()
  }

  private func take(_ message: Proto.BlobChunk) throws(RPCError) {
    guard chunkCount < manifest.chunkCount else { return }
    let range = manifest.range(ofChunk: chunkCount)
    let size = Int(range.upperBound - range.lowerBound)
    receivedCount += message.data.count
    guard message.offset == range.lowerBound + UInt64(pending.count) else {
      throw RPCError(.dataLoss, "A part of a blob is not the one that was asked for.")
    }
    if message.encoding == .zstd {
      pending += try unpacked(message.data, size: size - pending.count)
    } else {
      pending += message.data
    }
    guard pending.count <= size else {
      pending = []
      throw RPCError(.dataLoss, "A part of a blob reaches beyond its chunk.")
    }
    guard pending.count == size else { return }
    let isRight = pending.withUnsafeBytes { manifest.verifies($0, asChunk: chunkCount) }
    guard isRight else {
      pending = []
      throw RPCError(.dataLoss, "A chunk has another digest than its manifest says.")
    }
    try write(pending, at: range.lowerBound)
    pending.removeAll(keepingCapacity: true)
    chunkCount += 1
  }

  /// What a packed message holds: the rest of its chunk.
  private func unpacked(_ frame: [UInt8], size: Int) throws(RPCError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: size)
    do {
      try bytes.withUnsafeMutableBytes { target in
        try frame.withUnsafeBytes { try Zstandard.unpack($0, into: target) }
      }
    } catch {
      throw RPCError(.dataLoss, "A packed part of a blob cannot be unpacked: \(error)")
    }
    return bytes
  }

  private func write(_ bytes: [UInt8], at offset: UInt64) throws(RPCError) {
    let path = cache.part(manifest.digest)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.refused("create", path) }
    defer { close(descriptor) }
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { bytes in
        pwrite(
          descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done,
          off_t(offset) + off_t(done))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Self.refused("write", path) }
      done += count
    }
  }

  private func finish() throws(RPCError) {
    let (part, file) = (cache.part(manifest.digest), cache.file(manifest.digest))
    if manifest.chunkCount == 0 { try write([], at: 0) }
    guard rename(part, file) == 0 else { throw Self.refused("rename", part) }
  }

  private static func refused(_ verb: String, _ path: String) -> RPCError {
    RPCError(
      .resourceExhausted, "Cannot \(verb) \(path): \(String(cString: strerror(errno))).",
      reason: "device-disk")
  }
}
