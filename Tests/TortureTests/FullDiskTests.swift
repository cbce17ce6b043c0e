// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OwnThreads
import Testing

/// A file system of its own in a file, on a directory.
private final class LoopDisk {
  let path: String

  /// - Parameters:
  ///   - directory: where its file is, and the directory `disk` that it is mounted on.
  ///   - bytes: how large it is; most of the file is never written.
  /// - Throws: why it cannot be mounted.
  init(in directory: URL, bytes: Int) throws {
    path = directory.appendingPathComponent("disk").path
    let image = directory.appendingPathComponent("image").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let script = """
      truncate -s \(bytes) '\(image)' && mkfs.ext4 -q -m 0 -F '\(image)' \
      && mount -o loop '\(image)' '\(path)'
      """
    guard Self.run(script) else {
      throw Federation.Failure(description: "no file system can be mounted")
    }
  }

  deinit { unmount() }

  func unmount() { _ = Self.run("umount -l '\(path)' 2>/dev/null") }

  /// Takes all room that is left, to the last block.
  func fill() {
    _ = Self.run(
      "dd if=/dev/zero of='\(path)/filler' bs=1M; dd if=/dev/zero of='\(path)/rest' bs=1k")
  }

  func clear() { _ = Self.run("rm -f '\(path)/filler' '\(path)/rest'") }

  private static func run(_ script: String) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", "PATH=$PATH:/sbin:/usr/sbin; \(script)"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  static let isPossible: Bool = {
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("apus-loop-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    return (try? LoopDisk(in: directory, bytes: 4 << 20)) != nil
  }()
}

@Suite(
  "Full disk", .serialized,
  .enabled(if: LoopDisk.isPossible, "A file system cannot be mounted here."), .ownThread)
struct FullDiskTests: Sendable {
  private static let rounds = 100

  @Test("A hub whose disk fills up amid rounds loses nothing, and ends with the same bytes")
  func amidRounds() throws {
    var disk: LoopDisk?
    let federation = try Federation(clientCount: 3, hub: "disk/hub") {
      disk = try LoopDisk(in: $0, bytes: 192 << 20)
    }
    let full = try #require(disk)
    // Before the test's directory is removed.
    defer {
      federation.hub.kill()
      full.unmount()
    }
    let expected = try federation.begin("full", rounds: Self.rounds)

    full.fill()
    // It refuses uploads, and ends where even a commit has no room: it never pretends.
    let deadline = Date(timeIntervalSinceNow: 8)
    var counts: Set<Int> = []
    while federation.hub.isRunning, Date() < deadline {
      usleep(500_000)
      if let output = try? federation.command(["round", "list", "full", "--format", "json"]),
        let rows = try? JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]]
      {
        counts.insert(rows.count { $0["state"] as? String == "published" })
      }
    }
    #expect(counts.count <= 2 && counts.allSatisfy { $0 < Self.rounds }, "\(counts)")
    full.clear()
    if !federation.hub.isRunning {
      #expect(federation.hub.status() != 0)
      let messages = try federation.hub.messages()
      #expect(messages.contains("disk is full"), "\(messages.suffix(500))")
      try federation.restartHub()
    }
    // One that has refused uploads takes them now.
    try federation.waitUntilServing()
    try federation.expectEnd(of: "full", rounds: Self.rounds, digest: expected)
  }
}
