// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// An update on its way from the device.
struct BlobUpload: Sendable {
  let manifest: BlobManifest
  let file: MappedFile
  let lease: LeaseName
  let isPacked: Bool

  /// Asks what is there already, sends what misses, and returns when all of it is durable over there.
  ///
  /// - Returns: bytes that went over the wire, framing excluded.
  /// - Throws: the call's status.
  func run(over channel: any Channel, watch: TransferWatch) async throws(RPCError) -> Int {
    var sent = 0
    let request = Proto.BeginUploadRequest {
      $0.manifest = Proto.BlobManifest(manifest)
      $0.leaseId = lease.id
      $0.epoch = lease.epoch
    }
    var status = try await channel.call(
      BlobsMethods.beginUpload, request, timeout: .seconds(60))
    // What is refused again and again would be sent for ever.
    for _ in 0..<4 where !status.complete {
      watch.advance()
      let stream = try await channel.upload(Self.writeBlob, timeout: nil)
      watch.follow({ stream.movedByteCount }, onStall: { stream.cancel() })
      for chunk in 0..<manifest.chunkCount where !Self.isPresent(chunk, in: status.present) {
        if Task.isCancelled { throw RPCError(.cancelled, "The upload was called off.") }
        let message = message(chunk)
        try await stream.send(message)
        sent += message.bytes.count
        watch.advance()
      }
      status = try await stream.finish()
    }
    guard status.complete else {
      throw RPCError(.unavailable, "The federation did not take all chunks.")
    }
    return sent
  }

  private static func isPresent(_ chunk: Int, in bitmap: [UInt8]) -> Bool {
    chunk / 8 < bitmap.count && bitmap[chunk / 8] >> UInt8(chunk % 8) & 1 == 1
  }

  /// One chunk, packed where that is asked for and makes it smaller.
  private func message(_ chunk: Int) -> EncodedChunk {
    let bytes = file[manifest.range(ofChunk: chunk)]
    if isPacked, let packed = Zstandard.packed(bytes) {
      let message = packed.withUnsafeBytes {
        ChunkMessage.writeChunk(
          digest: manifest.digest, index: UInt32(chunk), data: $0, encoding: .zstd)
      }
      return EncodedChunk(bytes: message)
    }
    return EncodedChunk(
      bytes: ChunkMessage.writeChunk(digest: manifest.digest, index: UInt32(chunk), data: bytes))
  }

  /// The call, with chunks that are encoded already: a megabyte is copied once and not three times.
  private static let writeBlob = Method<EncodedChunk, Proto.UploadStatus>(
    BlobsMethods.writeBlob.path, .clientStreaming)
}

/// A message that was encoded by hand.
struct EncodedChunk: WireMessage {
  var bytes: [UInt8] = []

  init() {}
  init(bytes: [UInt8]) { self.bytes = bytes }
  init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) { self.bytes = Array(bytes) }

  func encoded() -> [UInt8] { bytes }
}
