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
      let stream = try await channel.upload(BlobsMethods.writeBlob, timeout: nil)
      watch.onStall { stream.cancel() }
      for chunk in 0..<manifest.chunkCount where !Self.isPresent(chunk, in: status.present) {
        if Task.isCancelled { throw RPCError(.cancelled, "The upload was called off.") }
        sent += try await send(chunk, over: stream)
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

  private func send(
    _ chunk: Int, over stream: RequestStream<Proto.WriteChunk, Proto.UploadStatus>
  ) async throws(RPCError) -> Int {
    var message = Proto.WriteChunk()
    message.digest = manifest.digest.bytes
    message.index = UInt32(chunk)
    message.data = Array(file.bytes[manifest.range(ofChunk: chunk)])
    if isPacked, let packed = Zstandard.packed(message.data), packed.count < message.data.count {
      message.data = packed
      message.encoding = .zstd
    }
    try await stream.send(message)
    return message.data.count
  }
}
