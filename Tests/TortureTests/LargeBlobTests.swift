// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Foundation
import OwnThreads
import Testing

@testable import ApusEdge

/// A blob whose size needs more than 32 bits, up to an aggregator that is killed on the way.
///
/// `make torture` sends 5 GB in chunks of 1 MiB; without it 48 MB are sent.
@Suite("Large blobs", .serialized, .ownThread)
struct LargeBlobTests: Sendable {
  private static let isLong = ProcessInfo.processInfo.environment["APUS_TORTURE"] != nil
  /// Not a multiple of a chunk.
  private static let size = isLong ? 5 << 30 + 12_345 : 48 << 20 + 12_345
  /// How much of it is there when the aggregator is killed.
  private static let kills = isLong ? [0.15, 0.4, 0.7] : [0.4]
  /// What an aggregator may have in memory, in bytes: far less than the blob.
  private static let memoryLimit = 160 << 20

  /// A sparse file: zeros, and here and there a megabyte that is none.
  private func makeFile(_ path: String) throws {
    try Data().write(to: URL(filePath: path))
    try #require(truncate(path, Self.size) == 0)
    let file = try FileHandle(forWritingTo: URL(filePath: path))
    var random = SeededGenerator(seed: 5)
    let noise = Data(
      (0..<(1 << 17)).flatMap { _ in
        withUnsafeBytes(of: random.next()) { Array($0) }
      })
    for offset in stride(from: 7 << 20, to: Self.size, by: Self.size / 9) + [Self.size - 5_000] {
      try file.seek(toOffset: UInt64(offset))
      try file.write(contentsOf: noise.prefix(Self.size - offset))
    }
    try file.close()
  }

  private func channel(_ federation: Federation) throws -> GRPCChannel {
    let person = try Identity.load(from: federation.hubDirectory + "/operator")
    return try GRPCChannel(
      host: "127.0.0.1", port: federation.port, trust: .authorities(person.authorities.map(\.der)),
      identity: person.tlsMaterial())
  }

  /// Waits until so many bytes of an upload are durable.
  private func wait(for count: UInt64, of manifest: BlobManifest, over channel: GRPCChannel)
    async throws
  {
    let deadline = ContinuousClock.now + .seconds(600)
    while ContinuousClock.now < deadline {
      let status = try? await channel.call(
        BlobsMethods.queryUpload, Proto.QueryUploadRequest { $0.digest = manifest.digest.bytes },
        timeout: .seconds(10))
      if let status {
        try #require(!status.complete, "It was faster than the kill.")
        if status.committedSize >= count { return }
      }
      try await Task.sleep(for: .milliseconds(2))
    }
    throw Federation.Failure(description: "\(count) bytes did not become durable in time")
  }

  /// The most that a process has had in memory, in bytes.
  private func peakMemory(_ process: ApusProcess) throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(process.number)/status", encoding: .utf8)
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return try #require(line?.split(separator: " ").compactMap { Int($0) }.first) * 1024
  }

  @Test(
    "A blob of 5 GB comes up through kills of the aggregator, in bounded memory, and is read again",
    .timeLimit(.minutes(20)))
  func comesUp() async throws {
    let federation = try Federation(clientCount: 1)
    let path = federation.directory.appendingPathComponent("large").path
    try makeFile(path)
    let file = try #require(MappedFile(path))
    var builder = BlobManifest.Builder()
    builder.append(file.bytes)
    let manifest = builder.finish()
    #expect(manifest.size == UInt64(Self.size))
    let upload = BlobUpload(
      manifest: manifest, file: file, lease: LeaseName(id: [], epoch: 0), isPacked: false)

    var peaks: [Int] = []
    var committed: [UInt64] = []
    for share in Self.kills {
      let channel = try channel(federation)
      let sending = Task {
        try await TransferWatch.watching(limit: .seconds(60)) { watch throws(RPCError) in
          try await upload.run(over: channel, watch: watch)
        }
      }
      let asking = try self.channel(federation)
      try await wait(for: UInt64(Double(Self.size) * share), of: manifest, over: asking)
      await asking.close()
      peaks.append(try peakMemory(federation.hub))
      federation.hub.kill()
      await #expect(throws: RPCError.self) { try await sending.value }
      await channel.close()
      try federation.restartHub()
      try federation.waitUntilServing()
      let next = try self.channel(federation)
      let status = try await next.call(
        BlobsMethods.beginUpload,
        Proto.BeginUploadRequest { $0.manifest = Proto.BlobManifest(manifest) },
        timeout: .seconds(60))
      // What was durable is not sent again: all but what came since the last sync, 16 MiB or a second.
      #expect(!status.complete && status.committedSize > 0)
      committed.append(status.committedSize)
      await next.close()
    }
    #expect(committed == committed.sorted())

    let channel = try channel(federation)
    let sent = try await TransferWatch.watching(limit: .seconds(60)) { watch throws(RPCError) in
      try await upload.run(over: channel, watch: watch)
    }
    let rest = manifest.size - (committed.last ?? 0)
    #expect(UInt64(sent) >= rest && UInt64(sent) < rest + rest / 100 + 1_000)
    // Beyond 32 bits, to the last byte.
    for offset in [manifest.size - 20_000, manifest.size / 2] {
      let stream = try await channel.stream(
        BlobsMethods.readBlob,
        Proto.ReadBlobRequest {
          $0.digest = manifest.digest.bytes
          $0.offset = offset
          $0.length = 20_000
        }, timeout: .seconds(60))
      var bytes: [UInt8] = []
      while let chunk = try await stream.next() { bytes += chunk.data }
      #expect(bytes.elementsEqual(file[offset..<offset + 20_000]))
    }
    peaks.append(try peakMemory(federation.hub))
    #expect(peaks.allSatisfy { $0 < Self.memoryLimit }, "\(peaks)")
    if Self.isLong {
      print("large blob: peaks of memory \(peaks), durable at the kills \(committed), in bytes")
    }
    await channel.close()
  }
}
