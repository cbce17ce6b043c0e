// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Foundation
import OwnThreads
import Testing

@testable import ApusAggregator

/// A small file system in memory, on a directory of its own.
private final class SmallDisk {
  let path: String
  private let place: StoreWorkplace

  init?(bytes: Int) throws {
    place = try StoreWorkplace()
    path = place.path("disk")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    guard
      Self.run("mount", ["-t", "tmpfs", "-o", "size=\(bytes)", "none", path])
    else { return nil }
  }

  deinit { _ = Self.run("umount", ["-l", path]) }

  /// Leaves no room but so many bytes.
  func fill(leaving bytes: Int) throws {
    var status = statvfs()
    #expect(statvfs(path, &status) == 0)
    let count = Int(status.f_bavail) * Int(status.f_frsize) - bytes
    try Data(count: max(0, count)).write(to: URL(fileURLWithPath: path + "/filler"))
  }

  func clear() throws { try FileManager.default.removeItem(atPath: path + "/filler") }

  private static func run(_ command: String, _ arguments: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [command] + arguments
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  static let isPossible = (try? SmallDisk(bytes: 65_536)) != nil
}

@Suite(
  .enabled(if: SmallDisk.isPossible, "A small file system cannot be mounted here."), .ownThread)
struct FullDiskTests {
  @Test(
    "A disk that fills up during an upload refuses it, loses nothing, and takes it when there is room"
  )
  func refusesUploads() async throws {
    let disk = try #require(try SmallDisk(bytes: 12 << 20))
    var limits = BlobStore.Limits()
    limits.reserve = 2 << 20
    let told = Told<AggregatorError>()
    let hub = try await TestBlobs(disk.path + "/hub", limits: limits, onFatal: { told.add($0) })
    let bytes = noise(3 << 20)
    let manifest = BlobManifest(of: bytes, chunkSize: 65_536)
    let channel = hub.channel()
    _ = try await channel.begin(manifest)
    let before = try await channel.write(bytes, manifest, chunks: 0..<4)
    #expect(before.present[0] == 0b1111)
    // Room for the database's reserve and some chunks.
    try disk.fill(leaving: 2_700_000)
    let error = await #expect(throws: RPCError.self) {
      try await channel.write(bytes, manifest, chunks: 4..<48)
    }
    #expect(error?.code == .resourceExhausted && error?.retryAfter != nil)
    let large = BlobManifest(of: noise(4 << 20, seed: 2))
    let refused = await #expect(throws: RPCError.self) { try await channel.begin(large) }
    #expect(refused?.code == .resourceExhausted)
    #expect(told.values.isEmpty)
    try disk.clear()
    let status = try await channel.query(manifest.digest)
    #expect(!status.complete && status.present[0] & 0b1111 == 0b1111)
    #expect(try await channel.write(bytes, manifest, chunks: 4..<48).complete)
    #expect(try hub.blobs.open(manifest.digest).verifies(manifest))
    await hub.store.close()
  }

  @Test(
    "A disk too full for a commit is fatal, and the next start has everything that was acknowledged"
  )
  func endsWithCommits() async throws {
    let disk = try #require(try SmallDisk(bytes: 4 << 20))
    let told = Told<AggregatorError>()
    let store = try Store.open(disk.path + "/hub", onFatal: { told.add($0) })
    try await store.write { try $0.run("CREATE TABLE notes (id INTEGER PRIMARY KEY, data BLOB)") }
    try disk.fill(leaving: 200_000)
    var acknowledged: [Int] = []
    for id in 1...100 {
      do {
        try await store.write {
          try $0.run("INSERT INTO notes VALUES (?, ?)", id, [UInt8](repeating: 7, count: 10_000))
        }
        acknowledged.append(id)
      } catch let error as AggregatorError {
        #expect([.diskFull, .fileSystem].contains(error.code), "\(error)")
        break
      }
    }
    #expect(told.values.count == 1 && (1..<100).contains(acknowledged.count))
    // Nothing is tried again, whatever room there is.
    try disk.clear()
    await #expect(throws: AggregatorError.self) {
      try await store.write { try $0.run("INSERT INTO notes VALUES (1000, x'')") }
    }
    #expect(told.values.count == 1)
    await store.close()
    let next = try Store.open(disk.path + "/hub")
    let ids = try await next.read { transaction in
      try transaction.rows("SELECT id FROM notes ORDER BY id") {
        row throws(AggregatorError) -> Int in try row[0]
      }
    }
    #expect(ids == acknowledged)
    await next.close()
  }
}
