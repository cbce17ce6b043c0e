// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

extension BlobsService {
  /// Bytes of data in a message at most.
  private static let messageSize: UInt64 = 1 << 20
  /// Bytes of digests from which on the first message has no data beside the manifest.
  private static let largeManifest = 1 << 19

  /// Sends a blob from any byte, in pieces that do not cross the borders of its chunks.
  func readBlob(_ call: any ServerCall) async throws(RPCError) {
    let caller = try Self.caller(of: call.head)
    guard let message = try await call.receive() else {
      throw RPCError(.invalidArgument, "The call has no request.", reason: "no-request")
    }
    let request: Proto.ReadBlobRequest
    do throws(WireError) {
      request = try Proto.ReadBlobRequest(decoding: message)
    } catch {
      throw RPCError(.invalidArgument, error.message, reason: error.code.rawValue)
    }
    let digest = try Self.digest(request.digest)
    try await access(caller, .read(digest))
    let (blob, manifest) = try await blob(digest)
    guard request.offset <= manifest.size else {
      throw RPCError(
        .outOfRange, "The blob has \(manifest.size) bytes, none at \(request.offset).",
        reason: "out-of-range")
    }
    let rest = manifest.size - request.offset
    let end = request.offset + (request.length == 0 ? rest : min(request.length, rest))
    var offset = request.offset
    var isFirst = true
    if offset == end || manifest.chunkDigests.count >= Self.largeManifest {
      try await call.send(
        ChunkMessage.blobChunk(
          offset: offset, data: UnsafeRawBufferPointer(start: nil, count: 0), manifest: manifest))
      isFirst = false
    }
    while offset < end {
      let chunk = UInt64(manifest.chunkSize)
      let border = (offset / chunk + 1) * chunk
      let range = offset..<min(end, border, offset + Self.messageSize)
      let mayPack = request.acceptsZstd
      let message: [UInt8]
      do {
        // On a lane: the bytes may have to come from the disk.
        message = try await blobs.lanes.run { [isFirst] in
          self.message(with: blob, range, of: manifest, isFirst: isFirst, mayPack: mayPack)
        }
      } catch {
        throw Self.status(of: error)
      }
      try await call.send(message)
      isFirst = false
      offset = range.upperBound
    }
  }

  private func blob(
    _ digest: BlobDigest
  ) async throws(RPCError) -> (MappedBlob, BlobManifest) {
    do {
      guard let manifest = try await blobs.manifest(of: digest) else {
        throw RPCError(.notFound, "There is no such blob.", reason: "no-blob")
      }
      // With its row a blob's file is there, whole.
      guard let blob = try? blobs.open(digest), UInt64(blob.count) == manifest.size else {
        throw RPCError(.dataLoss, "The blob's file is damaged.", reason: "damaged-blob")
      }
      return (blob, manifest)
    } catch {
      throw Self.status(of: error)
    }
  }

  private func message(
    with blob: MappedBlob, _ range: Range<UInt64>, of manifest: BlobManifest, isFirst: Bool,
    mayPack: Bool
  ) -> [UInt8] {
    let announced = isFirst ? manifest : nil
    return blob.withBytes { bytes in
      let data = UnsafeRawBufferPointer(
        rebasing: bytes[Int(range.lowerBound)..<Int(range.upperBound)])
      if mayPack, blobs.packing.pays(for: manifest.digest) {
        let packed = Zstandard.packed(data)
        blobs.packing.note(manifest.digest, packedSize: packed?.count, of: data.count)
        if let packed {
          return packed.withUnsafeBytes { packed in
            ChunkMessage.blobChunk(
              offset: range.lowerBound, data: packed, encoding: .zstd, manifest: announced)
          }
        }
      }
      return ChunkMessage.blobChunk(offset: range.lowerBound, data: data, manifest: announced)
    }
  }
}
