// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusWire

@Suite struct BlobManifestTests {
  private let bytes = (0..<150_000).map { UInt8(truncatingIfNeeded: $0 * 7 + ($0 >> 16)) }

  @Test("A manifest's digest is what blob.proto says (Python's hashlib computed these)")
  func digests() throws {
    let manifest = BlobManifest(of: bytes, chunkSize: 65_536)
    #expect(manifest.chunkCount == 3 && manifest.size == 150_000)
    #expect(
      manifest.digest.hex == "56cb1d9391a1a6a0e5b7d1d52c7bb8a91748edcbc2a880ae6c18c0ba0f2d4c6d")
    let empty = BlobManifest(of: [])
    #expect(empty.chunkCount == 0)
    #expect(empty.digest.hex == "a1a24cc288feed35a4ef9509c20f72b27efcd69c0aab39214d5087e2b5e78a22")
    #expect(BlobDigest(hex: empty.digest.hex) == empty.digest)
    #expect(BlobDigest(hex: "../../etc/passwd") == nil)
    #expect(BlobDigest(hex: String(empty.digest.hex.dropLast())) == nil)
  }

  @Test("Pieces of any size make the same manifest")
  func buildsFromPieces() {
    let whole = BlobManifest(of: bytes, chunkSize: 65_536)
    for pieceSize in [1_000, 65_535, 65_536, 65_537, 150_000] {
      var builder = BlobManifest.Builder(chunkSize: 65_536)
      for start in stride(from: 0, to: bytes.count, by: pieceSize) {
        bytes[start..<min(start + pieceSize, bytes.count)].withUnsafeBytes { builder.append($0) }
      }
      let built = builder.finish()
      #expect(built == whole)
    }
  }

  @Test("Each chunk is verified alone: its bytes, its length and its place")
  func verifiesChunks() {
    let manifest = BlobManifest(of: bytes, chunkSize: 65_536)
    bytes.withUnsafeBytes { bytes in
      for index in 0..<3 {
        let range = manifest.range(ofChunk: index)
        let chunk = bytes[Int(range.lowerBound)..<Int(range.upperBound)]
        #expect(manifest.verifies(.init(rebasing: chunk), asChunk: index))
        #expect(!manifest.verifies(.init(rebasing: chunk.dropLast()), asChunk: index))
        #expect(!manifest.verifies(.init(rebasing: chunk), asChunk: (index + 1) % 3))
      }
      #expect(!manifest.verifies(.init(rebasing: bytes[..<0]), asChunk: 3))
    }
  }

  @Test("Sizes beyond 32 bits are sizes like others")
  func hasLargeSizes() throws {
    let size: UInt64 = 5 << 30
    let digests = [UInt8](repeating: 1, count: 32 * 5 * 1_024)
    let manifest = try BlobManifest(size: size, chunkSize: 1 << 20, chunkDigests: digests)
    #expect(manifest.range(ofChunk: 5_119) == (size - (1 << 20))..<size)
    let back = try BlobManifest(
      Proto.BlobManifest(decoding: Proto.BlobManifest(manifest).encoded()))
    #expect(back == manifest)
  }

  @Test(
    "Sizes that do not fit each other are refused",
    arguments: [
      (10, 1 << 20, 0), (10, 1 << 20, 64), (0, 1 << 20, 32), (10, 1 << 20, 31), (10, 0, 32),
      (10, 65_535, 32), (10, (1 << 22) + 1, 32), (UInt64.max, 1 << 20, 32),
      (UInt64.max, 1 << 22, 0), (100_001 << 20, 1 << 20, 3_200_032),
    ] as [(UInt64, UInt32, Int)])
  func refuses(size: UInt64, chunkSize: UInt32, digestBytes: Int) {
    #expect(throws: WireError.self) {
      try BlobManifest(
        size: size, chunkSize: chunkSize, chunkDigests: [UInt8](repeating: 0, count: digestBytes))
    }
  }
}

@Suite struct ChunkMessageTests {
  private let data = (0..<3_000).map { UInt8(truncatingIfNeeded: $0) }

  @Test("A chunk written by the fast path is what protobuf-c reads, and the other way round")
  func agreesWithProtobuf() throws {
    let digest = try #require(BlobDigest(bytes: (0..<32).map { UInt8($0) }))
    for (digest, index, encoding) in [
      (digest, 0, Proto.Encoding.none), (nil, 300, .zstd), (nil, UInt32.max, .none),
    ] as [(BlobDigest?, UInt32, Proto.Encoding)] {
      let fast = data.withUnsafeBytes {
        ChunkMessage.writeChunk(digest: digest, index: index, data: $0, encoding: encoding)
      }
      let slow = Proto.WriteChunk {
        $0.digest = digest?.bytes ?? []
        $0.index = index
        $0.data = data
        $0.encoding = encoding
      }
      #expect(try Proto.WriteChunk(decoding: fast) == slow)
      let encoded = slow.encoded()
      let read = try encoded.withUnsafeBytes { bytes in
        try ChunkMessage(writeChunk: bytes)
      }
      #expect(read.digest == digest && read.index == index && read.encoding == encoding)
      #expect(Array(encoded[read.data]) == data)
    }
    let manifest = BlobManifest(of: data)
    for (offset, manifest) in [(0, manifest), (UInt64.max, nil)] as [(UInt64, BlobManifest?)] {
      let fast = data.withUnsafeBytes {
        ChunkMessage.blobChunk(offset: offset, data: $0, encoding: .zstd, manifest: manifest)
      }
      let slow = Proto.BlobChunk {
        $0.offset = offset
        $0.data = data
        $0.encoding = .zstd
        $0.manifest = manifest.map { Proto.BlobManifest($0) }
      }
      #expect(try Proto.BlobChunk(decoding: fast) == slow)
      let encoded = slow.encoded()
      let read = try encoded.withUnsafeBytes { bytes in
        try ChunkMessage(blobChunk: bytes)
      }
      #expect(read.offset == offset && read.manifest == manifest && read.encoding == .zstd)
      #expect(Array(encoded[read.data]) == data)
    }
  }

  @Test("Of a field that comes twice the last counts, an empty one too")
  func lastOfAField() throws {
    let digest = [0x0a, 32] + [UInt8](repeating: 7, count: 32)
    for message in [digest + [0x0a, 0], [0x0a, 0] + digest, [0x1a, 1, 5] + digest + [0x1a, 0]] {
      let read = try message.withUnsafeBytes { try ChunkMessage(writeChunk: $0) }
      let slow = try Proto.WriteChunk(decoding: message)
      #expect(read.digest?.bytes ?? [] == slow.digest && Array(message[read.data]) == slow.data)
    }
  }

  @Test("Every truncated chunk is refused or is shorter; none is read beyond its end")
  func survivesTruncation() {
    let message = data.withUnsafeBytes {
      ChunkMessage.writeChunk(
        digest: BlobDigest(bytes: [UInt8](repeating: 7, count: 32)), index: 9, data: $0)
    }
    for count in 0..<message.count {
      let part = Array(message[..<count])
      part.withUnsafeBytes { bytes in
        if let read = try? ChunkMessage(writeChunk: bytes) { #expect(read.data.isEmpty) }
      }
    }
    for message: [UInt8] in [[0x0a, 1, 7], [0x10], [0x18, 1], [0x20, 9], [0x1a, 0xff, 0xff, 3]] {
      #expect(throws: WireError.self) {
        try message.withUnsafeBytes { bytes in
          _ = try ChunkMessage(writeChunk: bytes)
        }
      }
    }
  }
}

@Suite struct ZstandardTests {
  private func unpack(_ frame: [UInt8], count: Int) throws -> [UInt8] {
    var target = [UInt8](repeating: 0, count: count)
    try target.withUnsafeMutableBytes { target in
      try frame.withUnsafeBytes { frame in
        try Zstandard.unpack(frame, into: target)
      }
    }
    return target
  }

  @Test("What is packed comes back, and what does not shrink is not packed")
  func roundTrips() throws {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 50) }
    let frame = try #require(bytes.withUnsafeBytes { Zstandard.packed($0) })
    #expect(frame.count < 20_000)
    #expect(try unpack(frame, count: bytes.count) == bytes)
    var generator = SystemRandomNumberGenerator()
    let noise = (0..<10_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
    #expect(noise.withUnsafeBytes { Zstandard.packed($0) } == nil)
  }

  @Test("A frame that unpacks to more or less than was announced is refused")
  func refusesBombs() throws {
    let zeros = [UInt8](repeating: 0, count: 50_000_000)
    let bomb = try #require(zeros.withUnsafeBytes { Zstandard.packed($0) })
    #expect(bomb.count < 10_000)
    #expect(throws: WireError.self) { try unpack(bomb, count: 65_536) }
    let small = try #require(
      [UInt8](repeating: 1, count: 500).withUnsafeBytes { Zstandard.packed($0) })
    #expect(throws: WireError.self) { try unpack(small, count: 501) }
    #expect(throws: WireError.self) { try unpack(small + small, count: 1_000) }
    #expect(throws: WireError.self) { try unpack(Array(small.dropLast()), count: 500) }
    #expect(throws: WireError.self) { try unpack([], count: 500) }
    #expect(throws: WireError.self) { try unpack([1, 2, 3, 4, 5], count: 5) }
  }
}
