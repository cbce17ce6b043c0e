// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusWire
import Foundation
import Testing

@testable import ApusAggregator

@Suite struct AuditLogTests {
  /// A store with five entries.
  private func store(in place: StoreWorkplace) async throws -> Store {
    let store = try Store.open(place.path, clock: { 1_700_000_000_000 })
    try await store.write { transaction in
      for number in 1...5 {
        try transaction.audit(
          actor: "aggregator", action: "device.enrolled", subject: "device \(number)",
          detail: "{\"number\":\(number)}")
      }
    }
    return store
  }

  @Test("The first entry's hash is what the protocol says, byte for byte")
  func hashesAsDefined() async throws {
    let place = try StoreWorkplace()
    let store = try await store(in: place)
    let entries = try await store.read { try $0.auditEntries(after: 0, limit: 1) }
    let entry = try #require(entries.first)
    func little(_ number: UInt64) -> [UInt8] {
      (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
    var bytes = [UInt8](repeating: 0, count: 32) + little(1) + little(1_700_000_000_000)
    for text in ["aggregator", "device.enrolled", "device 1", "{\"number\":1}"] {
      bytes += little(UInt64(text.utf8.count)) + Array(text.utf8)
    }
    let expected = bytes.withUnsafeBytes { SHA256.hexDigest(of: $0) }
    #expect(SHA256.hexadecimal(entry.hash) == expected)
    await store.close()
  }

  @Test("Entries are numbered without gaps, read from any point, and intact")
  func readsBack() async throws {
    let place = try StoreWorkplace()
    let store = try await store(in: place)
    struct Refusal: Error {}
    await #expect(throws: Refusal.self) {
      try await store.write { transaction in
        try transaction.audit(actor: "a", action: "b", subject: "c")
        throw Refusal()
      }
    }
    try await store.write { try $0.audit(actor: "a", action: "b", subject: "c") }
    let (sequences, verdict) = try await store.read { transaction in
      (
        try transaction.auditEntries(after: 2, limit: 10).map(\.sequence),
        try transaction.verifiedAuditLog()
      )
    }
    #expect(sequences == [3, 4, 5, 6])
    #expect(verdict == AuditLog.Verdict(entryCount: 6, firstBroken: nil))
    await store.close()
  }

  @Test(
    "Whatever is changed, removed, added or cut off is noticed, and where",
    arguments: [
      ("UPDATE audit SET detail = '{}' WHERE sequence = 3", 3),
      ("UPDATE audit SET time_ms = time_ms + 1 WHERE sequence = 1", 1),
      ("UPDATE audit SET actor = actor || action, action = '' WHERE sequence = 2", 2),
      ("DELETE FROM audit WHERE sequence = 2", 2),
      ("DELETE FROM audit WHERE sequence = 5", 5),
      ("DELETE FROM audit", 1),
      (
        "INSERT INTO audit SELECT 6, time_ms, actor, action, subject, detail, hash FROM audit LIMIT 1",
        6
      ),
      (
        """
        CREATE TEMP TABLE swap AS SELECT * FROM audit WHERE sequence IN (3, 4);
        DELETE FROM audit WHERE sequence IN (3, 4);
        INSERT INTO audit SELECT 7 - sequence, time_ms, actor, action, subject, detail, hash FROM swap;
        """, 3
      ),
    ])
  func detectsTampering(script: String, place broken: UInt64) async throws {
    let place = try StoreWorkplace()
    await (try store(in: place)).close()
    try Database(path: place.path("apus.sqlite")).execute(script)
    let store = try Store.open(place.path)
    let verdict = try await store.read { try $0.verifiedAuditLog() }
    #expect(verdict.firstBroken == broken)
    await store.close()
  }
}

@Suite struct IdempotencyTests {
  private let key: [UInt8] = Array(0..<16)

  @Test("The same request under the same key is answered again and not done again")
  func replays() async throws {
    let place = try StoreWorkplace()
    let done = Told<Int>()
    for attempt in 0..<3 {
      // Each in an incarnation of its own: answers are durable.
      let store = try Store.open(place.path)
      let key = key
      let (answer, isReplay) = try await store.write { transaction in
        try transaction.once(caller: "d1", method: "/M", key: key, request: [1, 2]) {
          done.add(attempt)
          return [9]
        }
      }
      #expect(answer == [9] && isReplay == (attempt > 0))
      await store.close()
    }
    #expect(done.values == [0])
  }

  @Test(
    "Another request under the same key is ALREADY_EXISTS; other callers and methods have keys of their own"
  )
  func refusesOtherRequests() async throws {
    let place = try StoreWorkplace()
    let store = try Store.open(place.path)
    let key = key
    @Sendable func call(_ caller: String, _ method: String, _ request: [UInt8]) async throws -> Bool
    {
      try await store.write { transaction in
        try transaction.once(caller: caller, method: method, key: key, request: request) { [] }
          .isReplay
      }
    }
    #expect(try await call("d1", "/M", [1]) == false)
    let error = await #expect(throws: RPCError.self) { try await call("d1", "/M", [2]) }
    #expect(error?.code == .alreadyExists && error?.reason == "idempotency-key-reused")
    #expect(try await call("d2", "/M", [2]) == false)
    #expect(try await call("d1", "/N", [2]) == false)
    #expect(try await call("d1", "/M", [1]) == true)
    await store.close()
  }

  @Test("What failed is not remembered, and answers are kept for a day")
  func forgets() async throws {
    struct Refusal: Error {}
    let place = try StoreWorkplace()
    let time = Told<Int64>()
    time.add(0)
    let store = try Store.open(place.path, clock: { time.values.last ?? 0 })
    let key = key
    await #expect(throws: Refusal.self) {
      try await store.write { transaction in
        _ = try transaction.once(caller: "d", method: "/M", key: key, request: []) {
          throw Refusal()
        }
      }
    }
    let isReplay = try await store.write { transaction in
      try transaction.once(caller: "d", method: "/M", key: key, request: []) { [1] }.isReplay
    }
    #expect(!isReplay)
    for (hours, count) in [(24, 0), (25, 1)] {
      time.add(Int64(hours) * 3_600_000)
      #expect(try await store.write { try $0.forgetOldAnswers() } == count)
    }
    await store.close()
  }
}
