// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusWire
import Foundation
import Testing

@testable import ApusAggregator

/// The Blobs service over a store in a directory, without sockets.
final class TestBlobs: Sendable {
  let store: Store
  let blobs: BlobStore
  let uploads: Uploads
  let router: CallRouter

  init(
    _ path: String, clock: StandingClock? = nil, limits: BlobStore.Limits = BlobStore.Limits(),
    uploadLimits: Uploads.Limits = Uploads.Limits(),
    access: @escaping BlobAccess = { _, _ async throws(RPCError) in },
    onFatal: @escaping @Sendable (AggregatorError) -> Void = Store.exitProcess
  ) async throws {
    let time: @Sendable () -> Int64
    if let clock { time = { clock.now } } else { time = Store.systemTime }
    store = try Store.open(path, clock: time, onFatal: onFatal)
    blobs = try await BlobStore.open(in: store, limits: limits)
    uploads = Uploads(in: blobs, limits: uploadLimits)
    var router = CallRouter()
    BlobsService(uploads, access: access).register(on: &router)
    self.router = router
  }

  func channel(_ id: String = "d1", _ role: Role = .device) -> BlobClient {
    let identity = PeerIdentity(
      federation: "f", role: role, id: id, fingerprint: "", expires: .max)
    return BlobClient(
      channel: InProcessTransport(handler: router, peer: Peer(identity: identity, address: "test")))
  }
}

/// What a caller does with the Blobs service.
struct BlobClient: Sendable {
  let channel: any Channel

  func begin(_ manifest: BlobManifest) async throws -> Proto.UploadStatus {
    try await channel.call(
      BlobsMethods.beginUpload,
      Proto.BeginUploadRequest { $0.manifest = Proto.BlobManifest(manifest) }, timeout: nil)
  }

  func query(_ digest: BlobDigest) async throws -> Proto.UploadStatus {
    try await channel.call(
      BlobsMethods.queryUpload, Proto.QueryUploadRequest { $0.digest = digest.bytes }, timeout: nil)
  }

  /// Sends these chunks in this order.
  @discardableResult
  func write(
    _ bytes: [UInt8], _ manifest: BlobManifest, chunks: some Sequence<Int>, packed: Bool = false
  ) async throws -> Proto.UploadStatus {
    let stream = try await channel.upload(BlobsMethods.writeBlob, timeout: nil)
    var isFirst = true
    for index in chunks {
      let range = manifest.range(ofChunk: index)
      var data = Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
      var encoding = Proto.Encoding.none
      if packed, let frame = data.withUnsafeBytes({ Zstandard.packed($0) }) {
        data = frame
        encoding = .zstd
      }
      try await stream.send(
        Proto.WriteChunk {
          $0.digest = isFirst ? manifest.digest.bytes : []
          $0.index = UInt32(index)
          $0.data = data
          $0.encoding = encoding
        })
      isFirst = false
    }
    return try await stream.finish()
  }

  /// Announces and sends all of a blob.
  @discardableResult
  func upload(_ bytes: [UInt8], chunkSize: UInt32 = 65_536) async throws -> BlobManifest {
    let manifest = BlobManifest(of: bytes, chunkSize: chunkSize)
    _ = try await begin(manifest)
    let status = try await write(bytes, manifest, chunks: 0..<manifest.chunkCount)
    #expect(status.complete)
    return manifest
  }

  /// Reads part of a blob, and verifies offsets and sizes.
  func read(
    _ digest: BlobDigest, from offset: UInt64 = 0, length: UInt64 = 0, packed: Bool = false
  ) async throws -> (bytes: [UInt8], manifest: BlobManifest?, packedCount: Int) {
    let stream = try await channel.stream(
      BlobsMethods.readBlob,
      Proto.ReadBlobRequest {
        $0.digest = digest.bytes
        $0.offset = offset
        $0.length = length
        $0.acceptsZstd = packed
      }, timeout: nil)
    var bytes: [UInt8] = []
    var manifest: BlobManifest?
    var packedCount = 0
    while let chunk = try await stream.next() {
      if let message = chunk.manifest { manifest = try BlobManifest(message) }
      #expect(chunk.offset == offset + UInt64(bytes.count) && chunk.data.count <= 1 << 20)
      if chunk.encoding == .zstd {
        packedCount += 1
        let known = try #require(manifest)
        let border = (chunk.offset / UInt64(known.chunkSize) + 1) * UInt64(known.chunkSize)
        let end = min(border, chunk.offset + 1 << 20, known.size)
        var target = [UInt8](repeating: 0, count: Int(end - chunk.offset))
        try target.withUnsafeMutableBytes { target in
          try chunk.data.withUnsafeBytes { try Zstandard.unpack($0, into: target) }
        }
        bytes += target
      } else {
        bytes += chunk.data
      }
    }
    return (bytes, manifest, packedCount)
  }
}

/// Bytes that do not repeat, the same for the same seed.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var random = RandomStream(seed: seed)
  var bytes = [UInt8](repeating: 0, count: count)
  bytes.withUnsafeMutableBytes { buffer in
    for place in stride(from: 0, to: count - 7, by: 8) {
      buffer.storeBytes(of: UInt64(random.next()), toByteOffset: place, as: UInt64.self)
    }
  }
  return bytes
}
