// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// Some of a blob's chunks: one bit each, lowest first, as `UploadStatus.present` has it.
struct ChunkSet: Hashable, Sendable {
  private(set) var bits: [UInt8]
  let chunkCount: Int
  private(set) var memberCount = 0

  init(chunkCount: Int) {
    self.chunkCount = chunkCount
    bits = [UInt8](repeating: 0, count: (chunkCount + 7) / 8)
  }

  /// Nil where the bits are not of so many chunks.
  init?(bits: [UInt8], chunkCount: Int) {
    guard bits.count == (chunkCount + 7) / 8 else { return nil }
    self.init(chunkCount: chunkCount)
    for index in 0..<chunkCount where bits[index / 8] >> (index % 8) & 1 == 1 { insert(index) }
  }

  var isFull: Bool { memberCount == chunkCount }

  var members: [Int] { (0..<chunkCount).filter(contains) }

  func contains(_ index: Int) -> Bool { bits[index / 8] >> (index % 8) & 1 == 1 }

  mutating func insert(_ index: Int) {
    guard !contains(index) else { return }
    bits[index / 8] |= 1 << (index % 8)
    memberCount += 1
  }

  mutating func remove(_ index: Int) {
    guard contains(index) else { return }
    bits[index / 8] &= ~(1 << (index % 8))
    memberCount -= 1
  }

  /// Bytes in these chunks.
  func byteCount(in manifest: BlobManifest) -> UInt64 {
    guard chunkCount > 0, memberCount > 0 else { return 0 }
    let last = manifest.range(ofChunk: chunkCount - 1)
    let missing = UInt64(manifest.chunkSize) - (last.upperBound - last.lowerBound)
    let whole = UInt64(memberCount) * UInt64(manifest.chunkSize)
    return contains(chunkCount - 1) ? whole - missing : whole
  }
}
