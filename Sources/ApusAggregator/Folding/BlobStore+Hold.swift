// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

extension BlobStore {
  /// Keeps a blob from being collected as garbage for half of the grace period at least.
  ///
  /// - Returns: whether it is there, durable.
  func hold(_ digest: BlobDigest) async throws -> Bool {
    let grace = limits.grace
    let isFresh = try await store.read { transaction in
      try transaction.value(
        "SELECT touched_ms > ? FROM blobs WHERE digest = ?", transaction.time - grace / 2,
        digest.bytes, as: Bool.self)
    }
    guard let isFresh else { return false }
    if isFresh { return true }
    return try await store.write { try $0.touchBlob(digest) }
  }
}
