// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Foundation
import Testing

@testable import ApusAggregator

@Suite struct BlobReadTests {
  private let bytes = noise(2_500_000)

  @Test("Any part of a blob is read, chunk by chunk, packed or not")
  func readsParts() async throws {
    let place = try StoreWorkplace()
    let hub = try await TestBlobs(place.path)
    let text = (0..<2_500_000).map { UInt8(truncatingIfNeeded: $0 >> 9) }
    for (bytes, chunkSize, packed) in [
      (bytes, 1 << 20, false), (bytes, 65_536, false), (text, 1 << 20, true), (text, 1 << 22, true),
      (bytes, 1 << 22, true),
    ] as [([UInt8], UInt32, Bool)] {
      let manifest = try await hub.blobs.write(bytes, chunkSize: chunkSize)
      for (offset, length) in [
        (0, 0), (1, 0), (1 << 20, 5), (65_535, 2), (2_499_999, 0), (7, .max),
      ]
        as [(UInt64, UInt64)]
      {
        let read = try await hub.channel().read(
          manifest.digest, from: offset, length: length, packed: packed)
        let end = length == 0 || length == .max ? bytes.count : Int(offset + length)
        #expect(read.bytes == Array(bytes[Int(offset)..<end]))
        #expect(read.manifest == manifest)
      }
      let all = try await hub.channel().read(manifest.digest, packed: packed)
      #expect((all.packedCount > 0) == (bytes == text))
      let end = try await hub.channel().read(manifest.digest, from: 2_500_000)
      #expect(end.bytes == [] && end.manifest == manifest)
      let error = await #expect(throws: RPCError.self) {
        try await hub.channel().read(manifest.digest, from: 2_500_001)
      }
      #expect(error?.code == .outOfRange)
    }
    await hub.store.close()
  }

  @Test("What a caller may not read is not read, and what is not there is not found")
  func asksForLeave() async throws {
    let place = try StoreWorkplace()
    let hub = try await TestBlobs(
      place.path,
      access: { identity, request async throws(RPCError) in
        guard case .read = request, identity.id == "d1" else {
          throw RPCError(.notFound, "There is no such blob.", reason: "no-blob")
        }
      })
    let digest = try await hub.blobs.write(bytes).digest
    #expect(try await hub.channel("d1").read(digest, length: 3).bytes == Array(bytes[..<3]))
    let unknown = BlobManifest(of: [1]).digest
    var errors: [RPCError?] = []
    for (id, digest) in [("d2", digest), ("d2", unknown), ("d1", unknown)] {
      errors.append(
        await #expect(throws: RPCError.self) { try await hub.channel(id).read(digest) })
    }
    // Not to be told apart.
    #expect(Set(errors).count == 1 && errors[0]?.code == .notFound)
    for digest: [UInt8] in [[], [1], [UInt8](repeating: 0x2F, count: 33)] {
      let error = await #expect(throws: RPCError.self) {
        let stream = try await hub.channel().channel.stream(
          BlobsMethods.readBlob, Proto.ReadBlobRequest { $0.digest = digest }, timeout: nil)
        _ = try await stream.next()
      }
      #expect(error?.code == .invalidArgument)
    }
    await hub.store.close()
  }

  @Test("A file that was cut short is told as lost data, not as another blob")
  func noticesDamage() async throws {
    let place = try StoreWorkplace()
    let hub = try await TestBlobs(place.path)
    let digest = try await hub.blobs.write(bytes).digest
    #expect(
      truncate(place.path("blobs/\(digest.hex.prefix(2))/\(digest.hex.dropFirst(2))"), 1_000) == 0)
    let error = await #expect(throws: RPCError.self) { try await hub.channel().read(digest) }
    #expect(error?.code == .dataLoss)
    await hub.store.close()
  }
}
