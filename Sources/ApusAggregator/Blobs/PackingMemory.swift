// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import Synchronization

/// Remembers of which blobs it does not pay to pack their chunks: a cohort asks for the same model, and to pack
/// numbers that look like noise takes longer than to send them.
final class PackingMemory: Sendable {
  /// Blobs that are remembered; then all are forgotten, which costs one more attempt each.
  private static let limit = 256
  /// Bytes from which on a part of a blob says something of the whole.
  private static let smallest = 1 << 16
  private let hopeless = Mutex<Set<BlobDigest>>([])

  func pays(for blob: BlobDigest) -> Bool { hopeless.withLock { !$0.contains(blob) } }

  /// Takes note of an attempt.
  ///
  /// - Parameters:
  ///   - blob: whose chunk was packed.
  ///   - packedSize: bytes after it; nil where there are not fewer.
  ///   - size: bytes before it.
  func note(_ blob: BlobDigest, packedSize: Int?, of size: Int) {
    guard size >= Self.smallest else { return }
    // An eighth: a link of 1 Gbit/s carries in less time what one core packs away.
    if let packedSize, packedSize <= size - size / 8 { return }
    hopeless.withLock { blobs in
      if blobs.count >= Self.limit { blobs = [] }
      blobs.insert(blob)
    }
  }
}
