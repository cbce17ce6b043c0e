// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

// Blobs up and down. A transfer that breaks goes on where it stopped: what is durable there is not sent again,
// what came here is not asked for again.
extension CoordinatorClient {
  /// Uploads bytes, unless they are there already.
  ///
  /// - Parameters:
  ///   - bytes: any.
  ///   - onProgress: told of the bytes that are durable.
  /// - Returns: what names them from now on.
  /// - Throws: ``CoordinationError``; `unreachable` where nothing went through for longer than the patience.
  package nonisolated(nonsending) func upload(
    _ bytes: [UInt8], onProgress: (UInt64) -> Void = { _ in }
  ) async throws(CoordinationError) -> BlobDigest {
    let manifest = BlobManifest(of: bytes)
    var attempts = TransferAttempts(patience: patience, address: address)
    while true {
      do throws(RPCError) {
        var status = try await channel.call(
          BlobsMethods.beginUpload,
          Proto.BeginUploadRequest { $0.manifest = Proto.BlobManifest(manifest) },
          timeout: timeout)
        while !status.complete {
          attempts.note(progress: status.committedSize)
          onProgress(status.committedSize)
          status = try await send(bytes, manifest, missingIn: status)
        }
        onProgress(manifest.size)
        return manifest.digest
      } catch {
        try await attempts.wait(after: error)
      }
    }
  }

  /// Sends some chunks that are not there yet; the answer comes when they are durable.
  private nonisolated(nonsending) func send(
    _ bytes: [UInt8], _ manifest: BlobManifest, missingIn status: Proto.UploadStatus
  ) async throws(RPCError) -> Proto.UploadStatus {
    let missing = (0..<manifest.chunkCount).lazy.filter { index in
      index / 8 >= status.present.count || status.present[index / 8] >> (index % 8) & 1 == 0
    }
    // A part at a time, so that a broken way costs little.
    let part = missing.prefix(64)
    let stream = try await channel.upload(BlobsMethods.writeBlob, timeout: nil)
    do throws(RPCError) {
      for index in part {
        let range = manifest.range(ofChunk: index)
        try await stream.send(
          Proto.WriteChunk {
            $0.digest = manifest.digest.bytes
            $0.index = UInt32(index)
            $0.data = Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
          })
      }
      return try await stream.finish()
    } catch {
      stream.cancel()
      throw error
    }
  }

  /// Downloads a blob, chunk by chunk.
  ///
  /// - Parameters:
  ///   - manifest: what it is.
  ///   - take: given every chunk once, in order, after its digest was checked.
  /// - Throws: ``CoordinationError``: `damaged` where chunks come that are not the blob's, `unreachable` where
  ///   nothing came through for longer than the patience, and what `take` throws.
  package nonisolated(nonsending) func download(
    _ manifest: BlobManifest,
    _ take: (UnsafeRawBufferPointer) throws(CoordinationError) -> Void
  ) async throws(CoordinationError) {
    var attempts = TransferAttempts(patience: patience, address: address)
    var next = 0
    var reader: ChunkReader?
    while next < manifest.chunkCount {
      let chunk: [UInt8]
      do throws(RPCError) {
        if reader == nil { reader = try await ChunkReader(manifest, from: next, over: channel) }
        guard let bytes = try await reader?.chunk(next) else {
          throw RPCError(.unavailable, "the blob ended before its end")
        }
        chunk = bytes
      } catch {
        reader = nil
        if error.code == .dataLoss { throw CoordinationError(error, from: address) }
        try await attempts.wait(after: error)
        continue
      }
      let result = chunk.withUnsafeBytes { bytes in
        Result { () throws(CoordinationError) in try take(bytes) }
      }
      try result.get()
      next += 1
      attempts.note(progress: UInt64(next))
    }
    reader?.stream.cancel()
  }
}

/// A blob's chunks as a call gives them.
private struct ChunkReader {
  let manifest: BlobManifest
  let stream: ReplyStream<Proto.BlobChunk>

  init(_ manifest: BlobManifest, from first: Int, over channel: any Channel) async throws(RPCError)
  {
    self.manifest = manifest
    stream = try await channel.stream(
      BlobsMethods.readBlob,
      Proto.ReadBlobRequest {
        $0.digest = manifest.digest.bytes
        $0.offset = manifest.range(ofChunk: first).lowerBound
      }, timeout: nil)
  }

  /// The next chunk, checked; nil where the call has ended.
  func chunk(_ index: Int) async throws(RPCError) -> [UInt8]? {
    let range = manifest.range(ofChunk: index)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(range.upperBound - range.lowerBound))
    while bytes.count < range.upperBound - range.lowerBound {
      guard let message = try await stream.next() else { return nil }
      guard message.encoding == .none, message.offset == range.lowerBound + UInt64(bytes.count)
      else { throw RPCError(.dataLoss, "bytes came from another place than was asked for") }
      bytes += message.data
    }
    guard bytes.withUnsafeBytes({ manifest.verifies($0, asChunk: index) }) else {
      throw RPCError(.dataLoss, "a chunk of the blob has another digest than it should have")
    }
    return bytes
  }
}

/// When a broken transfer is tried again, and when no more.
private struct TransferAttempts {
  let patience: Duration
  let address: String
  private var progress: UInt64 = 0
  private var deadline: ContinuousClock.Instant?
  private var delay = Duration.milliseconds(100)

  init(patience: Duration, address: String) {
    self.patience = patience
    self.address = address
  }

  mutating func note(progress: UInt64) {
    guard progress > self.progress else { return }
    self.progress = progress
    deadline = nil
    delay = .milliseconds(100)
  }

  mutating func wait(after error: RPCError) async throws(CoordinationError) {
    let end = deadline ?? ContinuousClock.now + patience
    deadline = end
    let passes: [StatusCode] = [.unavailable, .aborted, .resourceExhausted, .deadlineExceeded]
    guard passes.contains(error.code), ContinuousClock.now + delay < end,
      (try? await Task.sleep(for: error.delayBeforeRetry ?? delay)) != nil
    else { throw CoordinationError(error, from: address) }
    delay = min(delay * 2, .seconds(5))
  }
}
