// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Foundation
import Testing

@testable import ApusEdge

/// What a device keeps in files.
struct StateTests {
  private let place: Place
  private let cache: BlobCache

  init() throws {
    place = try Place()
    cache = BlobCache(path: place.path, limit: 250_000)
  }

  /// Puts a blob into the cache, used at a time.
  private func put(_ byte: UInt8, at time: Double) throws -> BlobManifest {
    let bytes = [UInt8](repeating: byte, count: 100_000)
    let manifest = BlobManifest(of: bytes, chunkSize: 1 << 16)
    let file = cache.file(manifest.digest)
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: time)], ofItemAtPath: file)
    return manifest
  }

  @Test("The cache makes room by what was used longest ago, and keeps what is needed now")
  func eviction() throws {
    let (first, second) = (try put(1, at: 1000), try put(2, at: 2000))
    #expect(cache.byteCount() == 200_000)
    #expect(cache.digests() == [second.digest, first.digest])
    // To open one is to use it.
    #expect(cache.open(first) != nil)
    #expect(cache.digests() == [first.digest, second.digest])
    cache.evict(keeping: [], makingRoomFor: 100_000)
    #expect(cache.digests() == [first.digest])
    cache.evict(keeping: [first.digest], makingRoomFor: 1_000_000)
    #expect(cache.digests() == [first.digest])
  }

  @Test("A model is written over one of its size that was used long ago, and that one is gone")
  func recycling() async throws {
    let models = try (1...3).map { try put(UInt8($0), at: 1000 * Double($0)) }
    let next = BlobManifest(of: [UInt8](repeating: 9, count: 100_000), chunkSize: 1 << 16)
    let other = BlobManifest(of: [UInt8](repeating: 9, count: 100_001), chunkSize: 1 << 16)
    #expect(!cache.recycle(for: other, keeping: []))
    // What is needed now stays, and so do the last two.
    #expect(!cache.recycle(for: next, keeping: [models[0].digest]))
    #expect(cache.recycle(for: next, keeping: [models[2].digest]) == false)
    #expect(cache.recycle(for: next, keeping: []))
    #expect(cache.digests() == [models[2].digest, models[1].digest])
    // Nothing of the old model is taken for a part of the new one.
    #expect(FileManager.default.fileExists(atPath: cache.part(next.digest)))
    let download = BlobDownload(next, into: cache)
    #expect(await download.verifiedCount == 0)
  }

  @Test("A file in the cache that is not what its name says is removed")
  func damage() throws {
    let manifest = try put(3, at: 1000)
    var bytes = [UInt8](repeating: 3, count: 100_000)
    bytes[99_999] = 4
    try Data(bytes).write(to: URL(fileURLWithPath: cache.file(manifest.digest)))
    #expect(cache.open(manifest) == nil)
    #expect(cache.digests().isEmpty)
    #expect(cache.open(manifest) == nil)
  }

  @Test("What is noted of work is read again, and only where it is whole")
  func workRecords() throws {
    let play = Play()
    var record = WorkRecord(assignment: play.assignment(), update: play.update())
    record.granted = .milliseconds(12_345)
    record.boot = "boot"
    #expect(WorkRecord(record.text) == record)
    let text = record.text
    let older = text.replacingOccurrences(of: "12345", with: "54321")
    for length in 0..<text.count - 1 {
      #expect(WorkRecord(String(text.prefix(length))) == nil, "\(length)")
      // Written over an older record, and cut off.
      let mixture = WorkRecord(String(text.prefix(length) + older.dropFirst(length)))
      #expect(mixture == nil || length < 25 || mixture == record, "\(length)")
    }
    #expect(WorkRecord(text + older.suffix(40)) == record)
    #expect(WorkRecord(WorkRecord.nothing + text.dropFirst(WorkRecord.nothing.count)) == nil)
    record.update = nil
    record.boot = nil
    #expect(WorkRecord(record.text) == record)
  }

  @Test("A lease goes on running while no process does")
  func leaseTime() throws {
    let state = try StateDirectory(place.path)
    let play = Play()
    try state.save(play.assignment(leaseMs: 60_000))
    let saved = try #require(state.savedWork())
    let left = try #require(saved.leaseLeft)
    #expect(left <= .seconds(60) && left > .seconds(30))
    #expect(saved.update == nil && saved.assignment == play.assignment(leaseMs: 60_000))
    // As another start of the machine would find it: nobody knows how much time has passed.
    let file = place.path + "/work"
    var other = try #require(WorkRecord(String(contentsOfFile: file, encoding: .utf8)))
    other.boot = "another"
    try other.text.write(toFile: file, atomically: true, encoding: .utf8)
    #expect(state.savedWork()?.leaseLeft == nil)
    state.forget()
    #expect(state.savedWork() == nil)
  }

  @Test("The notes of the last hundred rounds are kept, whatever a peer calls its tasks")
  func notes() throws {
    let state = try StateDirectory(place.path)
    for round in 0..<120 {
      state.note(
        RoundNote(
          time: 7, task: "a task\n7", round: UInt64(round), outcome: "rejected", reason: "",
          weight: 3, seconds: 0.5))
    }
    let notes = StateDirectory.notes(in: place.path)
    #expect(notes.count == 100 && notes.first?.round == 20 && notes.last?.round == 119)
    #expect(notes.last?.task == "a_task_7" && notes.last?.reason == "")
  }
}
