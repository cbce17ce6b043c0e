// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusWire
import Foundation
import Synchronization
import Testing

@testable import ApusCoordination

/// Blobs behind a way that breaks after every few chunks.
private final class FlakyBlobs: Sendable {
  struct State {
    var chunks: [Int: [UInt8]] = [:]
    /// Chunks that came, again or not.
    var receivedCount = 0
    var sentCount = 0
    var manifest: BlobManifest?
  }

  let state = Mutex(State())
  private let part: Int
  /// A chunk that is sent with a wrong byte.
  private let damaged: Int?

  init(breakingEvery part: Int, damaging damaged: Int? = nil) {
    self.part = part
    self.damaged = damaged
  }

  private static func status(_ state: State) -> Proto.UploadStatus {
    Proto.UploadStatus { status in
      guard let manifest = state.manifest else { return }
      status.digest = manifest.digest.bytes
      status.complete = state.chunks.count == manifest.chunkCount
      status.committedSize = UInt64(state.chunks.values.reduce(0) { $0 + $1.count })
      guard !status.complete else { return }
      status.present = [UInt8](repeating: 0, count: (manifest.chunkCount + 7) / 8)
      for index in state.chunks.keys { status.present[index / 8] |= 1 << (index % 8) }
    }
  }

  var client: CoordinatorClient {
    var router = CallRouter()
    router.register(BlobsMethods.beginUpload) { [self] request, _ async throws(RPCError) in
      guard let message = request.manifest, let manifest = try? BlobManifest(message) else {
        throw RPCError(.invalidArgument, "no manifest")
      }
      return state.withLock {
        $0.manifest = manifest
        return Self.status($0)
      }
    }
    router.register(uploading: BlobsMethods.writeBlob) {
      [self] requests, _ async throws(RPCError) in
      for _ in 0..<part {
        guard let chunk = try await requests.next() else { break }
        state.withLock {
          $0.chunks[Int(chunk.index)] = chunk.data
          $0.receivedCount += 1
        }
      }
      let status = state.withLock { Self.status($0) }
      if status.complete { return status }
      throw RPCError(.unavailable, "the way is broken", retryAfter: .milliseconds(1))
    }
    router.register(streaming: BlobsMethods.readBlob) {
      [self] request, _, sender async throws(RPCError) in
      guard let manifest = state.withLock(\.manifest) else { throw RPCError(.notFound, "nothing") }
      let first = Int(request.offset / UInt64(manifest.chunkSize))
      for index in first..<min(first + part, manifest.chunkCount) {
        var data = state.withLock { $0.chunks[index] } ?? []
        if index == damaged { data[0] ^= 1 }
        state.withLock { $0.sentCount += 1 }
        try await sender.send(
          Proto.BlobChunk {
            $0.offset = manifest.range(ofChunk: index).lowerBound
            $0.data = data
          })
      }
      if first + part < manifest.chunkCount {
        throw RPCError(.unavailable, "the way is broken", retryAfter: .milliseconds(1))
      }
    }
    return CoordinatorClient(
      channel: InProcessTransport(handler: router, peer: Peer(identity: nil, address: "test")),
      address: "test")
  }
}

@Suite(.timeLimit(.minutes(1))) struct BlobTransferTests {
  private static let bytes: [UInt8] = {
    var random = RandomStream(seed: 3)
    return (0..<(5 << 20) + 17).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }()

  @Test(
    "An upload that breaks sends no chunk twice that is there, and a download asks for none twice")
  func resumes() async throws {
    let blobs = FlakyBlobs(breakingEvery: 2)
    let client = blobs.client
    var progress: [UInt64] = []
    let digest = try await client.upload(Self.bytes) { progress.append($0) }
    let manifest = BlobManifest(of: Self.bytes)
    #expect(digest == manifest.digest && manifest.chunkCount == 6)
    #expect(blobs.state.withLock(\.receivedCount) == 6)
    #expect(progress == progress.sorted() && progress.last == UInt64(Self.bytes.count))

    var received: [UInt8] = []
    try await client.download(manifest) { received += $0 }
    #expect(received == Self.bytes)
    #expect(blobs.state.withLock(\.sentCount) == 6)
  }

  @Test("A chunk that is not the blob's ends a download; what came before was checked")
  func refusesDamage() async throws {
    let blobs = FlakyBlobs(breakingEvery: 100, damaging: 3)
    _ = try await blobs.client.upload(Self.bytes)
    var count = 0
    let problem = await #expect(throws: CoordinationError.self) {
      try await blobs.client.download(BlobManifest(of: Self.bytes)) { _ in count += 1 }
    }
    #expect(problem?.code == .damaged && count == 3)
  }

  @Test("A model's file has its numbers and its origin; a description that does not fit is refused")
  func writesModels() async throws {
    let blobs = FlakyBlobs(breakingEvery: 1)
    let numbers: [Float] = [1, -2, 0.5, 3, 4, 5]
    let bytes = numbers.withUnsafeBytes { Array($0) }
    _ = try await blobs.client.upload(bytes)
    var model = Proto.ModelInfo()
    model.version = 3
    model.parent = 2
    model.round = 1
    model.blob = Proto.BlobManifest(BlobManifest(of: bytes))
    model.modelDigest = SHA256.digest(of: bytes)
    model.tensors = [
      Proto.Tensor {
        ($0.name, $0.type, $0.shape) = ("w", .float32, [2, 2])
        $0.length = 16
      },
      Proto.Tensor {
        ($0.name, $0.type, $0.shape) = ("b", .float32, [2])
        ($0.offset, $0.length) = (16, 8)
      },
    ]
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let file = try ModelFile(model)
    let task = Proto.TaskInfo { ($0.taskId, $0.name) = ("abc", "digits") }
    try await file.write(
      to: path, metadata: file.metadata(task: task, federation: "f"), from: blobs.client)
    let safetensors = try Safetensors(contentsOf: path)
    #expect(safetensors.metadata["round"] == "2" && safetensors.metadata["parent"] == "2")
    #expect(try safetensors.values(of: "b").withUnsafeBufferPointer { Array($0) } == [4, 5])

    var wrong = model
    wrong.tensors[1].offset = 20
    #expect(throws: CoordinationError.self) { try ModelFile(wrong) }
    wrong = model
    wrong.modelDigest[0] ^= 1
    let other = try ModelFile(wrong)
    let problem = await #expect(throws: CoordinationError.self) {
      try await other.write(to: path + "-2", metadata: [:], from: blobs.client)
    }
    #expect(problem?.code == .damaged)
    #expect(!FileManager.default.fileExists(atPath: path + "-2"))
  }
}

extension SHA256 {
  fileprivate static func digest(of bytes: [UInt8]) -> [UInt8] {
    var hash = SHA256()
    bytes.withUnsafeBytes { hash.update($0) }
    return hash.finalize()
  }
}
