// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Foundation
import Testing

@testable import ApusAggregator

@Suite struct BlobStoreTests {
  @Test(
    "Bytes that were written are read again, from any incarnation, and are named by their digest")
  func keepsBytes() async throws {
    let place = try StoreWorkplace()
    let bytes = noise(300_000)
    var hub = try await TestBlobs(place.path)
    let manifest = try await hub.blobs.write(bytes, chunkSize: 65_536)
    let empty = try await hub.blobs.write([])
    #expect(manifest == BlobManifest(of: bytes, chunkSize: 65_536))
    await hub.store.close()
    hub = try await TestBlobs(place.path)
    let blob = try hub.blobs.open(manifest.digest)
    #expect(blob.withBytes { Array($0) } == bytes && blob.verifies(manifest))
    #expect(try hub.blobs.open(empty.digest).count == 0)
    #expect(try await hub.blobs.manifest(of: manifest.digest) == manifest)
    #expect(hub.blobs.usedBytes == 300_000)
    let hex = manifest.digest.hex
    #expect(
      FileManager.default.fileExists(
        atPath: place.path("blobs/\(hex.prefix(2))/\(hex.dropFirst(2))")))
    let other = BlobManifest(of: [1]).digest
    let error = #expect(throws: AggregatorError.self) { try hub.blobs.open(other) }
    #expect(error?.code == .notFound)
    await hub.store.close()
  }

  @Test("A blob stays as long as an owner needs it, and goes with the last one")
  func collectsGarbage() async throws {
    let place = try StoreWorkplace()
    let clock = StandingClock()
    let hub = try await TestBlobs(place.path, clock: clock)
    let kept = try await hub.blobs.write(noise(1_000, seed: 1)).digest
    let shared = try await hub.blobs.write(noise(1_000, seed: 2)).digest
    let new = try await hub.blobs.write(noise(1_000, seed: 3)).digest
    try await hub.store.write { transaction in
      try transaction.retainBlob(kept, for: "model/1")
      try transaction.retainBlob(shared, for: "model/1")
      try transaction.retainBlob(shared, for: "model/2")
      try transaction.retainBlob(shared, for: "model/2")
    }
    #expect(try await hub.blobs.collectGarbage() == 0)
    let mapped = try hub.blobs.open(kept)
    try await hub.store.write { try $0.releaseBlobs(of: "model/1") }
    #expect(try await hub.blobs.collectGarbage() == 1)
    #expect(throws: AggregatorError.self) { try hub.blobs.open(kept) }
    #expect(mapped.withBytes { Array($0) } == noise(1_000, seed: 1))
    #expect(hub.blobs.usedBytes == 2_000)
    clock.move(.seconds(601))
    #expect(try await hub.blobs.collectGarbage() == 1)
    #expect(throws: AggregatorError.self) { try hub.blobs.open(new) }
    try await hub.store.write { try $0.releaseBlob(shared, of: "model/2") }
    #expect(try await hub.blobs.collectGarbage() == 1)
    #expect(hub.blobs.usedBytes == 0)
    let error = await #expect(throws: AggregatorError.self) {
      try await hub.store.write { try $0.retainBlob(kept, for: "model/3") }
    }
    #expect(error?.code == .notFound)
    await hub.store.close()
  }

  @Test("The same bytes written at once, and removed meanwhile, are there whenever a row says so")
  func survivesRaces() async throws {
    let place = try StoreWorkplace()
    var limits = BlobStore.Limits()
    limits.grace = 0
    let hub = try await TestBlobs(place.path, limits: limits)
    let bytes = noise(5_000)
    let digest = BlobManifest(of: bytes).digest
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<8 {
        group.addTask {
          for number in 0..<10 {
            try await hub.blobs.write(bytes)
            let owner = "\(writer)/\(number)"
            // Between the two somebody may have removed it, as nobody needed it yet.
            let isKept = try await hub.store.write { transaction in
              guard try transaction.hasBlob(digest) else { return false }
              try transaction.retainBlob(digest, for: owner)
              return true
            }
            if isKept {
              let blob = try hub.blobs.open(digest)
              #expect(blob.withBytes { Array($0) } == bytes)
            }
            try await hub.store.write { try $0.releaseBlobs(of: owner) }
          }
        }
      }
      group.addTask { for _ in 0..<60 { try await hub.blobs.collectGarbage() } }
      try await group.waitForAll()
    }
    try await hub.blobs.collectGarbage()
    #expect(hub.blobs.usedBytes == 0)
    #expect(throws: AggregatorError.self) { try hub.blobs.open(digest) }
    await hub.store.close()
  }

  @Test(
    "No more is kept than the quota, the largest blob and the disk allow, and nothing is begun before that is known"
  )
  func keepsQuota() async throws {
    let place = try StoreWorkplace()
    var limits = BlobStore.Limits()
    limits.quota = 10_000
    limits.blobSize = 6_000
    let hub = try await TestBlobs(place.path, limits: limits)
    try await hub.blobs.write(noise(6_000))
    for (count, code) in [
      (6_001, AggregatorError.Code.blobTooLarge), (4_001, .quotaExceeded),
    ] {
      let error = await #expect(throws: AggregatorError.self) {
        try await hub.blobs.write(noise(count, seed: 2))
      }
      #expect(error?.code == code)
    }
    try await hub.blobs.write(noise(4_000, seed: 3))
    // Those that are there already take no more room.
    try await hub.store.write { try $0.run("UPDATE blobs SET touched_ms = 0 WHERE size = 4000") }
    try await hub.blobs.collectGarbage()
    for _ in 0..<5 {
      try await hub.blobs.write(noise(4_000, seed: 4))
      #expect(hub.blobs.usedBytes == 10_000)
      try await hub.store.write { try $0.run("UPDATE blobs SET touched_ms = 0 WHERE size = 4000") }
      try await hub.blobs.collectGarbage()
    }
    await hub.store.close()
    limits = BlobStore.Limits()
    limits.reserve = .max / 2
    let other = try await TestBlobs(place.path, limits: limits)
    let error = await #expect(throws: AggregatorError.self) { try await other.blobs.write([1]) }
    #expect(error?.code == .diskFull)
    await other.store.close()
  }

  @Test("Files that no row knows are removed at the start, and files of rows are not")
  func removesLeftovers() async throws {
    let place = try StoreWorkplace()
    var hub = try await TestBlobs(place.path)
    let digest = try await hub.blobs.write(noise(1_000)).digest
    let channel = hub.channel()
    let manifest = BlobManifest(of: noise(200_000), chunkSize: 65_536)
    _ = try await channel.begin(manifest)
    try await channel.write(noise(200_000), manifest, chunks: [1])
    await hub.store.close()
    let leftovers = ["uploads/77.part", "uploads/1.tmp", "blobs/ab/cdef", "blobs/00/.x.tmp"]
    for leftover in leftovers {
      try Data([1]).write(to: URL(fileURLWithPath: place.path(leftover)))
    }
    hub = try await TestBlobs(place.path)
    for leftover in leftovers {
      #expect(!FileManager.default.fileExists(atPath: place.path(leftover)), "\(leftover)")
    }
    #expect(try hub.blobs.open(digest).count == 1_000)
    #expect(try await hub.channel().query(manifest.digest).committedSize == 65_536)
    #expect(hub.blobs.usedBytes == 201_000)
    await hub.store.close()
  }
}
