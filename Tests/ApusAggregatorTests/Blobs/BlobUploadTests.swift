// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Foundation
import Testing

@testable import ApusAggregator

@Suite struct BlobUploadTests {
  private let bytes = noise(650_000)
  private var manifest: BlobManifest { BlobManifest(of: bytes, chunkSize: 65_536) }

  @Test(
    "Chunks come in any order, again and again, over several streams, and are a blob in the end",
    arguments: [false, true])
  func takesAnyOrder(packed: Bool) async throws {
    let place = try StoreWorkplace()
    let hub = try await TestBlobs(place.path)
    let bytes = packed ? (0..<650_000).map { UInt8(truncatingIfNeeded: $0 >> 8) } : bytes
    let manifest = BlobManifest(of: bytes, chunkSize: 65_536)
    let channel = hub.channel()
    let begun = try await channel.begin(manifest)
    #expect(!begun.complete && begun.committedSize == 0 && begun.present == [0, 0])
    #expect(begun.digest == manifest.digest.bytes && begun.window > 0)
    let part = try await channel.write(bytes, manifest, chunks: [9, 2, 2, 5], packed: packed)
    #expect(!part.complete && part.committedSize == UInt64(2 * 65_536 + 650_000 - 9 * 65_536))
    #expect(part.present == [0b0010_0100, 0b10])
    let again = try await channel.begin(manifest)
    #expect(again.present == part.present)
    #expect(try await channel.query(manifest.digest).present == part.present)
    async let one = channel.write(bytes, manifest, chunks: [0, 1, 2, 3, 4], packed: packed)
    async let two = channel.write(bytes, manifest, chunks: [8, 7, 6, 5, 4, 3], packed: packed)
    let ends = try await [one, two]
    #expect(ends.contains { $0.complete })
    let status = try await channel.query(manifest.digest)
    #expect(status.complete && status.committedSize == 650_000 && status.present == [])
    // And once more, as after an answer that was lost.
    #expect(try await channel.write(bytes, manifest, chunks: 0..<10, packed: packed).complete)
    #expect(try hub.blobs.open(manifest.digest).withBytes { Array($0) } == bytes)
    #expect(hub.blobs.usedBytes == 650_000)
    await hub.store.close()
  }

  @Test("A chunk that is not the manifest's is refused, and what came before it is kept")
  func refusesWrongChunks() async throws {
    let place = try StoreWorkplace()
    let hub = try await TestBlobs(place.path)
    let (channel, manifest) = (hub.channel(), manifest)
    _ = try await channel.begin(manifest)
    var wrong = bytes
    wrong[3 * 65_536 + 5] ^= 1
    for attempt in [wrong, bytes] {
      // The second finds the chunk durable: another content is refused nevertheless.
      if attempt == bytes { try await channel.write(bytes, manifest, chunks: [3]) }
      let error = await #expect(throws: RPCError.self) {
        try await channel.write(wrong, manifest, chunks: [0, 3])
      }
      #expect(error?.code == .invalidArgument && error?.reason == "wrong-chunk")
    }
    #expect(try await channel.query(manifest.digest).present == [0b1001, 0])
    for chunk in [
      Proto.WriteChunk {
        $0.digest = manifest.digest.bytes
        $0.index = 10
      },
      Proto.WriteChunk {
        $0.digest = manifest.digest.bytes
        $0.index = .max
        $0.data = Array(bytes[..<65_536])
      },
      Proto.WriteChunk {
        $0.digest = manifest.digest.bytes
        $0.index = 1
        $0.data = Array(bytes[65_536..<131_071])
      },
      Proto.WriteChunk { $0.index = 1 },
    ] {
      let stream = try await channel.channel.upload(BlobsMethods.writeBlob, timeout: nil)
      try? await stream.send(chunk)
      let error = await #expect(throws: RPCError.self) { try await stream.finish() }
      #expect(error?.code == .invalidArgument)
    }
    await hub.store.close()
  }

  @Test("A packed chunk that unpacks to more than its place is refused without unpacking it")
  func refusesBombs() async throws {
    let place = try StoreWorkplace()
    let hub = try await TestBlobs(place.path)
    let (channel, manifest) = (hub.channel(), manifest)
    _ = try await channel.begin(manifest)
    let zeros = [UInt8](repeating: 0, count: 500_000_000)
    let bomb = try #require(zeros.withUnsafeBytes { Zstandard.packed($0) })
    let stream = try await channel.channel.upload(BlobsMethods.writeBlob, timeout: nil)
    try? await stream.send(
      Proto.WriteChunk {
        $0.digest = manifest.digest.bytes
        $0.data = bomb
        $0.encoding = .zstd
      })
    let error = await #expect(throws: RPCError.self) { try await stream.finish() }
    #expect(error?.code == .invalidArgument && error?.reason == "wrong-chunk")
    await hub.store.close()
  }

  @Test("Uploads go on in the next incarnation, from what was durable")
  func resumes() async throws {
    let place = try StoreWorkplace()
    let manifest = manifest
    for incarnation in 0..<5 {
      let hub = try await TestBlobs(place.path)
      let status = try await hub.channel().begin(manifest)
      let wanted = (0..<incarnation * 2).reduce(into: [UInt8](repeating: 0, count: 2)) {
        $0[$1 / 8] |= 1 << ($1 % 8)
      }
      #expect(status.present == wanted)
      let chunks = [incarnation * 2, incarnation * 2 + 1]
      let end = try await hub.channel().write(bytes, manifest, chunks: chunks)
      #expect(end.complete == (incarnation == 4))
      await hub.store.close()
    }
    let hub = try await TestBlobs(place.path)
    #expect(try hub.blobs.open(manifest.digest).verifies(manifest))
    await hub.store.close()
  }

  @Test("Chunks from before a restart are read again before a blob is made of them")
  func verifiesOldChunks() async throws {
    let place = try StoreWorkplace()
    var hub = try await TestBlobs(place.path)
    let manifest = manifest
    _ = try await hub.channel().begin(manifest)
    try await hub.channel().write(bytes, manifest, chunks: 0..<8)
    await hub.store.close()
    let path = place.path("uploads/1.part")
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try file.seek(toOffset: 5 * 65_536 + 7)
    try file.write(contentsOf: [0xAA, 0x55, 0xAA])
    try file.close()
    hub = try await TestBlobs(place.path)
    let status = try await hub.channel().write(bytes, manifest, chunks: 8..<10)
    #expect(!status.complete && status.present == [0b1101_1111, 0b11])
    #expect(try await hub.channel().write(bytes, manifest, chunks: [5]).complete)
    #expect(try hub.blobs.open(manifest.digest).verifies(manifest))
    await hub.store.close()
  }

  @Test(
    "A partial file that is lost or of another length is begun again", arguments: [false, true])
  func beginsAgain(isLost: Bool) async throws {
    let place = try StoreWorkplace()
    var hub = try await TestBlobs(place.path)
    let manifest = manifest
    _ = try await hub.channel().begin(manifest)
    try await hub.channel().write(bytes, manifest, chunks: 0..<9)
    await hub.store.close()
    let path = place.path("uploads/1.part")
    if isLost {
      try FileManager.default.removeItem(atPath: path)
    } else {
      #expect(truncate(path, 100_000) == 0)
    }
    hub = try await TestBlobs(place.path)
    let status = try await hub.channel().write(bytes, manifest, chunks: [9])
    #expect(!status.complete && status.present == [0, 0b10])
    #expect(try await hub.channel().write(bytes, manifest, chunks: 0..<9).complete)
    #expect(try hub.blobs.open(manifest.digest).verifies(manifest))
    await hub.store.close()
  }

  @Test("A stream that breaks keeps what came, and repeated attempts share one blob")
  func keepsBrokenStreams() async throws {
    let place = try StoreWorkplace()
    let hub = try await TestBlobs(place.path)
    let (channel, manifest) = (hub.channel(), manifest)
    _ = try await channel.begin(manifest)
    for attempt in 0..<3 {
      let stream = try await channel.channel.upload(BlobsMethods.writeBlob, timeout: nil)
      for index in 0..<attempt + 2 {
        let range = manifest.range(ofChunk: index)
        try await stream.send(
          Proto.WriteChunk {
            $0.digest = manifest.digest.bytes
            $0.index = UInt32(index)
            $0.data = Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
          })
      }
      stream.cancel()
    }
    #expect(try await channel.write(bytes, manifest, chunks: 5..<9).complete == false)
    #expect(try await channel.write(bytes, manifest, chunks: [0, 1, 2, 3, 4, 9]).complete)
    #expect(hub.blobs.usedBytes == 650_000)
    let names = try FileManager.default.contentsOfDirectory(atPath: place.path("uploads"))
    #expect(names == [])
    await hub.store.close()
  }

  @Test("An upload belongs to who announced it; a digest alone gives nobody a blob")
  func keepsCallersApart() async throws {
    let place = try StoreWorkplace()
    let hub = try await TestBlobs(place.path)
    let manifest = try await hub.channel("d1").upload(bytes)
    let other = hub.channel("d2")
    for error in [
      await #expect(throws: RPCError.self) { try await other.query(manifest.digest) },
      await #expect(throws: RPCError.self) {
        try await other.write(bytes, manifest, chunks: [0])
      },
    ] { #expect(error?.code == .notFound) }
    let status = try await other.begin(manifest)
    #expect(!status.complete && status.present == [0, 0])
    #expect(try await other.write(bytes, manifest, chunks: 0..<10).complete)
    #expect(hub.blobs.usedBytes == 650_000)
    // An operator may read every blob, and need not bring it again.
    #expect(try await hub.channel("o", .operator).begin(manifest).complete)
    let nobody = BlobClient(
      channel: InProcessTransport(
        handler: hub.router, peer: Peer(identity: nil, address: "test")))
    let error = await #expect(throws: RPCError.self) { try await nobody.begin(manifest) }
    #expect(error?.code == .unauthenticated)
    await hub.store.close()
  }

  @Test("Uploads are counted for each caller, and forgotten when they do not go on")
  func limitsUploads() async throws {
    let place = try StoreWorkplace()
    let clock = StandingClock()
    var limits = Uploads.Limits()
    limits.perDevice = 2
    let hub = try await TestBlobs(place.path, clock: clock, uploadLimits: limits)
    let channel = hub.channel()
    let manifests = (0..<3).map {
      BlobManifest(of: noise(100_000, seed: UInt64($0)), chunkSize: 65_536)
    }
    _ = try await channel.begin(manifests[0])
    try await channel.upload(noise(100_000, seed: 1))
    let error = await #expect(throws: RPCError.self) { try await channel.begin(manifests[2]) }
    #expect(error?.code == .resourceExhausted && error?.reason == "too-many-uploads")
    #expect(error?.retryAfter != nil)
    _ = try await hub.channel("d2").begin(manifests[2])
    // One that is needed does not count any more.
    try await hub.store.write { try $0.retainBlob(manifests[1].digest, for: "contribution") }
    _ = try await channel.begin(manifests[2])
    clock.move(.seconds(1_800))
    try await channel.write(noise(100_000, seed: 2), manifests[2], chunks: [1])
    clock.move(.seconds(1_801))
    try await hub.uploads.maintain()
    let gone = await #expect(throws: RPCError.self) { try await channel.query(manifests[0].digest) }
    #expect(gone?.code == .notFound)
    #expect(try await channel.query(manifests[2].digest).present == [0b10])
    clock.move(.seconds(3_601))
    try await hub.uploads.maintain()
    #expect(hub.blobs.usedBytes == 100_000)
    try await hub.store.write { try $0.releaseBlobs(of: "contribution") }
    try await hub.uploads.maintain()
    #expect(hub.blobs.usedBytes == 0)
    let names = try FileManager.default.contentsOfDirectory(atPath: place.path("uploads"))
    // What was the blob's file waits for the next upload.
    #expect(names == ["1.spare"])
    await hub.store.close()
  }

  @Test(
    "An upload for which there is no room, or no leave, is refused before anything is allocated")
  func refusesBeforeAllocating() async throws {
    let place = try StoreWorkplace()
    var limits = BlobStore.Limits()
    limits.quota = 1_000_000
    let hub = try await TestBlobs(
      place.path, limits: limits,
      access: { identity, request async throws(RPCError) in
        guard identity.id != "stale" else {
          throw RPCError(.failedPrecondition, "The lease is over.", reason: "stale-epoch")
        }
      })
    let huge = try BlobManifest(
      size: 5 << 30, chunkSize: 1 << 20, chunkDigests: [UInt8](repeating: 1, count: 32 * 5_120))
    let error = await #expect(throws: RPCError.self) { try await hub.channel().begin(huge) }
    #expect(error?.code == .resourceExhausted && error?.reason == "quota-exceeded")
    let stale = await #expect(throws: RPCError.self) {
      try await hub.channel("stale").begin(manifest)
    }
    #expect(stale?.code == .failedPrecondition && stale?.reason == "stale-epoch")
    let invalid = await #expect(throws: RPCError.self) {
      try await hub.channel().channel.call(
        BlobsMethods.beginUpload,
        Proto.BeginUploadRequest {
          $0.manifest = Proto.BlobManifest {
            $0.size = .max
            $0.chunkSize = 1 << 20
          }
        }, timeout: nil)
    }
    #expect(invalid?.code == .invalidArgument)
    #expect(hub.blobs.usedBytes == 0)
    await hub.store.close()
  }

  @Test("A blob of 5 GB, most of it zeros, takes little room and is read beyond 32 bits")
  func isLarge() async throws {
    let place = try StoreWorkplace()
    let hub = try await TestBlobs(place.path)
    let chunkSize = 4 << 20
    let zeros = [UInt8](repeating: 0, count: chunkSize)
    let zeroDigest = BlobManifest(of: zeros, chunkSize: UInt32(chunkSize)).chunkDigests
    let count = 1_280
    let written = [0, 700, 1_100, count - 1]
    var digests: [UInt8] = []
    for index in 0..<count {
      digests +=
        written.contains(index)
        ? BlobManifest(of: noise(chunkSize, seed: UInt64(index)), chunkSize: UInt32(chunkSize))
          .chunkDigests : zeroDigest
    }
    let size = UInt64(count) * UInt64(chunkSize)
    let manifest = try BlobManifest(size: size, chunkSize: UInt32(chunkSize), chunkDigests: digests)
    #expect(size == 5 << 30)
    let record = try await hub.store.write { transaction in
      let id = try transaction.beginUpload(
        of: manifest, by: "device/d1", isComplete: false, lifetime: 1_000_000)
      return try transaction.upload(of: manifest.digest, by: "device/d1").map { ($0, id) }
    }
    let (upload, id) = try #require(record)
    #expect(upload.id == id)
    let session = try UploadSession(upload, in: hub.blobs, lifetime: 1_000_000)
    let zeroFrame = try #require(zeros.withUnsafeBytes { Zstandard.packed($0) })
    // Of the zeros a few are sent; the others are noted as if they had been, or this took ten seconds.
    for index in written + [5, 1_099] {
      let message = Proto.WriteChunk {
        $0.index = UInt32(index)
        $0.data = written.contains(index) ? noise(chunkSize, seed: UInt64(index)) : zeroFrame
        $0.encoding = written.contains(index) ? .none : .zstd
      }.encoded()
      let chunk = try message.withUnsafeBytes { try ChunkMessage(writeChunk: $0) }
      try session.accept(chunk, in: message)
    }
    let (present, isComplete) = try await session.finish()
    #expect(present.memberCount == 6 && !isComplete)
    #expect(present.byteCount(in: manifest) == 6 * UInt64(chunkSize))
    var status = stat()
    #expect(stat(place.path("uploads/1.part"), &status) == 0)
    #expect(UInt64(status.st_size) == size && status.st_blocks * 512 < 40 << 20)
    // As a blob, with its row: read from beyond 4 GB.
    try await hub.blobs.install(BlobFile(place.path("uploads/1.part"), isNew: false), as: manifest)
    {
      _ in
    }
    let last = size - 10
    let tail = try await hub.channel().read(manifest.digest, from: last)
    #expect(tail.bytes == Array(noise(chunkSize, seed: UInt64(count - 1)).suffix(10)))
    let middle = try await hub.channel().read(
      manifest.digest, from: 1_100 * UInt64(chunkSize) - 3, length: 6)
    #expect(middle.bytes == [0, 0, 0] + noise(chunkSize, seed: 1_100).prefix(3))
    #expect(middle.manifest == manifest)
    await hub.store.close()
  }
}
