// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Foundation
import OwnThreads
import Testing

@testable import ApusAggregator

/// Processes that kill themselves at failpoints, or whose fsync fails: what they said is durable is.
@Suite(.serialized, .ownThread) struct CrashTests {
  /// Says to the test that something was acknowledged; survives the process.
  private static func note(_ line: String, in file: String) {
    let descriptor = open(file, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    let bytes = Array("\(line)\n".utf8)
    _ = write(descriptor, bytes, bytes.count)
    close(descriptor)
  }

  private static func notes(in file: String) -> [String] {
    let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  /// Writes numbered rows, each with an audit entry, and notes those that were acknowledged.
  private static func writeRows(in path: String, notes: String) async throws {
    let store = try Store.open(path)
    try await store.write {
      try $0.run("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY) STRICT")
    }
    for number in 0..<1_000 {
      let id = try await store.write { transaction -> Int in
        let id = try transaction.value("SELECT coalesce(max(id), 0) + 1 FROM notes") ?? 0
        try transaction.run("INSERT INTO notes VALUES (?)", id)
        try transaction.audit(actor: "test", action: "note.written", subject: "\(id)")
        return id
      }
      Self.note("\(id)", in: notes)
      if number > 200 { exit(99) }
    }
  }

  /// What is in the database is what was acknowledged, and `extra` more; the audit log agrees.
  private func expectRows(_ extra: ClosedRange<Int>, in place: StoreWorkplace) async throws {
    let store = try Store.open(place.path)
    let acknowledged = Self.notes(in: place.path("notes")).compactMap { Int($0) }
    let (ids, verdict) = try await store.read { transaction in
      (
        try transaction.rows("SELECT id FROM notes ORDER BY id") {
          row throws(AggregatorError) -> Int in try row[0]
        }, try transaction.verifiedAuditLog()
      )
    }
    #expect(Set(acknowledged).isSubset(of: ids))
    #expect(extra.contains(ids.count - acknowledged.count), "\(ids.count) \(acknowledged.count)")
    #expect(ids == Array(1..<ids.count + 1))
    #expect(verdict == AuditLog.Verdict(entryCount: UInt64(ids.count), firstBroken: nil))
    await store.close()
  }

  @Test(
    "A writer killed around a commit loses nothing that was acknowledged, and nothing else is there",
    .enabled(if: Failpoint.isCompiledIn, "This build has no failpoints."),
    arguments: [
      (Failpoint.beforeCommit, 0), (.afterCommitBeforeAck, 1),
    ])
  func survivesKillsOfTheWriter(failpoint: Failpoint, lostAnswerCount: Int) async throws {
    let place = try StoreWorkplace()
    for round in 1...3 {
      let (path, count, name) = (place.path, 3 + 7 * round, failpoint.rawValue)
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [path = path as String, count = count as Int, name = name as String] in
        setenv("APUS_FAILPOINT", "\(name):\(count)", 1)
        try await Self.writeRows(in: path, notes: path + "/notes")
      }
      try await expectRows(lostAnswerCount * round...lostAnswerCount * round, in: place)
    }
    let store = try Store.open(place.path)
    #expect(store.epoch == 7)
    await store.close()
  }

  /// Whether the system calls of a process can be made to fail.
  private static let mayInject = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/strace")
    process.arguments = ["-qq", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"]
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  /// Makes calls of this process fail from now on.
  private static func inject(_ calls: String, when: Int) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/strace")
    process.arguments = [
      "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(calls)", "-e",
      "inject=\(calls):error=EIO:when=\(when)", "-p", "\(getpid())",
    ]
    try process.run()
    let deadline = ContinuousClock.now + .seconds(20)
    func isTraced() -> Bool {
      let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
      return threads.allSatisfy { thread in
        let path = "/proc/self/task/\(thread)/status"
        let status = (try? String(contentsOfFile: path, encoding: .utf8)) ?? "TracerPid:\t1\n"
        return !status.contains("TracerPid:\t0\n")
      }
    }
    while !isTraced() {
      if ContinuousClock.now > deadline { exit(98) }
      usleep(10_000)
    }
  }

  @Test(
    "A failed fsync of a commit ends the process at once; nothing it had acknowledged is lost",
    .enabled(if: mayInject, "There is no strace here, or it may not trace."), arguments: [1, 4])
  func endsWithFailedCommits(when: Int) async throws {
    let place = try StoreWorkplace()
    let path = place.path
    await #expect(processExitsWith: .exitCode(74)) { [path = path as String, when = when as Int] in
      let store = try Store.open(path)
      try await store.write { try $0.run("CREATE TABLE notes (id INTEGER PRIMARY KEY) STRICT") }
      await store.close()
      try Self.inject("fsync,fdatasync", when: when + 8)
      try await Self.writeRows(in: path, notes: path + "/notes")
    }
    // The row whose commit failed may be there or not: nobody was told.
    try await expectRows(0...1, in: place)
  }

  @Test(
    "A failed fsync of an upload ends the process; the next one knows only chunks that are durable",
    .enabled(if: mayInject, "There is no strace here, or it may not trace."), arguments: [1, 2])
  func endsWithFailedUploads(when: Int) async throws {
    let place = try StoreWorkplace()
    let path = place.path
    await #expect(processExitsWith: .exitCode(74)) { [path = path as String, when = when as Int] in
      let bytes = noise(500_000)
      let manifest = BlobManifest(of: bytes, chunkSize: 65_536)
      let hub = try await TestBlobs(path)
      _ = try await hub.channel().begin(manifest)
      try await hub.channel().write(bytes, manifest, chunks: 0..<3)
      if when == 2 { try await hub.channel().write(bytes, manifest, chunks: 3..<5) }
      // The upload's own: SQLite says fdatasync. The first from here on, for strace counts by thread.
      try Self.inject("fsync", when: 1)
      try await hub.channel().write(bytes, manifest, chunks: 5..<8)
      try await hub.channel().write(bytes, manifest, chunks: 3..<5)
      exit(97)
    }
    let bytes = noise(500_000)
    let manifest = BlobManifest(of: bytes, chunkSize: 65_536)
    let hub = try await TestBlobs(place.path)
    let status = try await hub.channel().query(manifest.digest)
    #expect(!status.complete && status.present == [when == 1 ? 0b111 : 0b1_1111])
    #expect(throws: AggregatorError.self) { try hub.blobs.open(manifest.digest) }
    #expect(try await hub.channel().write(bytes, manifest, chunks: 0..<8).complete)
    #expect(try hub.blobs.open(manifest.digest).verifies(manifest))
    await hub.store.close()
  }

  @Test(
    "An upload killed anywhere keeps what was acknowledged, and ends as the same blob",
    .enabled(if: Failpoint.isCompiledIn, "This build has no failpoints."),
    arguments: [
      "midBlob:3", "midBlob:7", "midBlob:10", "beforeRename:1", "beforeCommit:5", "beforeCommit:7",
      "afterCommitBeforeAck:5", "afterCommitBeforeAck:6", "afterCommitBeforeAck:7",
    ])
  func survivesKillsOfUploads(failpoint: String) async throws {
    let place = try StoreWorkplace()
    let path = place.path
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = path as String, failpoint = failpoint as String] in
      setenv("APUS_FAILPOINT", failpoint, 1)
      let bytes = noise(650_000)
      let manifest = BlobManifest(of: bytes, chunkSize: 65_536)
      let hub = try await TestBlobs(path)
      // Commits: 1 this entry, 2 the announcement; then one for each stream.
      try await hub.store.write { try $0.audit(actor: "test", action: "begun", subject: "") }
      _ = try await hub.channel().begin(manifest)
      for chunks in [0..<2, 2..<4, 4..<6, 6..<8, 8..<10] {
        let status = try await hub.channel().write(bytes, manifest, chunks: chunks)
        let text =
          status.complete ? "complete" : status.present.map(String.init).joined(separator: " ")
        Self.note(text, in: path + "/notes")
      }
    }
    let bytes = noise(650_000)
    let manifest = BlobManifest(of: bytes, chunkSize: 65_536)
    let hub = try await TestBlobs(place.path)
    let status = try await hub.channel().begin(manifest)
    if !status.complete {
      let acknowledged =
        Self.notes(in: place.path("notes")).last?.split(separator: " ")
        .compactMap { UInt8($0) } ?? [0, 0]
      for (known, now) in zip(acknowledged, status.present) { #expect(known & now == known) }
      #expect(throws: AggregatorError.self) { try hub.blobs.open(manifest.digest) }
      let missing = (0..<10).filter { status.present[$0 / 8] >> ($0 % 8) & 1 == 0 }
      #expect(try await hub.channel().write(bytes, manifest, chunks: missing).complete)
    }
    #expect(try hub.blobs.open(manifest.digest).verifies(manifest))
    #expect(hub.blobs.usedBytes == 650_000)
    let names = try FileManager.default.contentsOfDirectory(atPath: place.path("uploads"))
    #expect(names == [])
    await hub.store.close()
  }
}
