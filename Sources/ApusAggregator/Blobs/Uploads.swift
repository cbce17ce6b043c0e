// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import Synchronization

/// All uploads: announced, under way, complete but not needed yet.
///
/// An upload belongs to who announced it. Two callers who bring the same bytes each bring all of them:
/// to know a digest is not to have the bytes.
package final class Uploads: Sendable {
  /// How many and how long.
  package struct Limits: Sendable {
    /// Uploads that one device may have under way, or complete and not submitted.
    package var perDevice = 8
    /// The same for an operator.
    package var perOperator = 256
    /// Milliseconds without a new chunk after which an upload is forgotten.
    package var lifetime: Int64 = 3_600_000

    package init() {}
  }

  /// What of an upload is durable.
  struct Status: Sendable {
    var manifest: BlobManifest
    var present: ChunkSet
    var isComplete: Bool
  }

  private struct Key: Hashable {
    var caller: String
    var digest: BlobDigest
  }

  let blobs: BlobStore
  private let limits: Limits
  /// Those that streams write to now, and how many do.
  private let active = Mutex<[Key: (session: UploadSession, streamCount: Int)]>([:])

  package init(in blobs: BlobStore, limits: Limits = Limits()) {
    self.blobs = blobs
    self.limits = limits
  }

  /// Announces an upload, or finds the one announced before.
  ///
  /// - Throws: `quota-exceeded`, `disk-full`, `blob-too-large`, `too-many-uploads`.
  func begin(_ manifest: BlobManifest, by caller: String, role: Role) async throws -> Status {
    let (digest, limits) = (manifest.digest, limits)
    if let known = try await status(of: digest, by: caller) { return known }
    try blobs.reserve(manifest.size)
    let begun: (record: UploadRecord, isNew: Bool, expired: ExpiredUpload?)
    do {
      begun = try await blobs.store.write { transaction in
        // Announced twice at once.
        if let known = try transaction.upload(of: digest, by: caller) { return (known, false, nil) }
        let limit = role == .operator ? limits.perOperator : limits.perDevice
        guard try transaction.openUploadCount(of: caller) < limit else {
          throw AggregatorError(
            .tooManyUploads,
            "\(limit) uploads are under way or not submitted. Finish one of them first.")
        }
        // An operator may read every blob: one that is there need not come again.
        let isThere = try role == .operator && transaction.touchBlob(digest)
        // One that expired, and was not removed yet, is replaced.
        let expired = try transaction.deleteUpload(of: digest, by: caller)
        let id = try transaction.beginUpload(
          of: manifest, by: caller, isComplete: isThere, lifetime: limits.lifetime)
        let record = UploadRecord(
          id: id, manifest: manifest, isComplete: isThere,
          present: ChunkSet(chunkCount: manifest.chunkCount))
        return (record, !isThere, expired)
      }
    } catch {
      blobs.release(manifest.size)
      throw error
    }
    if !begun.isNew { blobs.release(manifest.size) }
    if let expired = begun.expired { try remove(expired) }
    let record = begun.record
    return Status(
      manifest: record.manifest, present: record.present, isComplete: record.isComplete)
  }

  /// What of an upload is durable; nil where there is none.
  func status(of digest: BlobDigest, by caller: String) async throws -> Status? {
    try await blobs.store.read { transaction in
      try transaction.upload(of: digest, by: caller).map {
        Status(manifest: $0.manifest, present: $0.present, isComplete: $0.isComplete)
      }
    }
  }

  /// Runs `body` with an upload's session.
  ///
  /// - Returns: what `body` returns; nil where the upload is complete, and nothing is to be written.
  /// - Throws: `not-found` where it was not announced; what `body` throws.
  func withSession<Value: Sendable>(
    of digest: BlobDigest, by caller: String, _ body: (UploadSession) async throws -> Value
  ) async throws -> Value? {
    let key = Key(caller: caller, digest: digest)
    guard let session = try await enter(key) else { return nil }
    defer {
      active.withLock { active in
        active[key]?.streamCount -= 1
        if active[key]?.streamCount == 0 { active[key] = nil }
      }
    }
    return try await body(session)
  }

  private func enter(_ key: Key) async throws -> UploadSession? {
    // Twice: between the look at the row and that at the file another stream may complete it.
    for isLast in [false, true] {
      if let session = activeSession(key) { return session }
      let record = try await blobs.store.read { try $0.upload(of: key.digest, by: key.caller) }
      guard let record else {
        throw AggregatorError(
          .notFound, "There is no such upload, or it is over. Announce it with BeginUpload.")
      }
      if record.isComplete { return nil }
      let lifetime = limits.lifetime
      let entered = try active.withLock { active throws(AggregatorError) -> UploadSession? in
        if let (session, count) = active[key] {
          active[key] = (session, count + 1)
          return session
        }
        // A file that is gone although chunks are noted was completed a moment ago.
        let isGone =
          record.present.memberCount > 0 && !BlobFile.exists(blobs.uploadPath(record.id))
        if isGone && !isLast { return nil }
        let session = try UploadSession(record, in: blobs, lifetime: lifetime)
        active[key] = (session, 1)
        return session
      }
      if let entered { return entered }
    }
    return nil
  }

  private func activeSession(_ key: Key) -> UploadSession? {
    active.withLock { active in
      guard let (session, count) = active[key] else { return nil }
      active[key] = (session, count + 1)
      return session
    }
  }

  /// Forgets uploads that did not go on, answers that are too old and blobs that nobody needs.
  ///
  /// To be called now and then, and when a round has released its blobs.
  /// - Throws: `file-system`, the error that was fatal to the store.
  package func maintain() async throws {
    let expired = try await blobs.store.write { transaction in
      try transaction.forgetOldAnswers()
      return try transaction.deleteExpiredUploads()
    }
    for upload in expired { try remove(upload) }
    try await blobs.collectGarbage()
  }

  /// Gives the room of an upload back that was not complete.
  private func remove(_ upload: ExpiredUpload) throws(AggregatorError) {
    blobs.release(upload.size)
    try BlobFile.remove(blobs.uploadPath(upload.id))
  }
}

extension AggregatorError.Code {
  /// A caller has as many uploads under way as it may.
  public static let tooManyUploads = Self(rawValue: "too-many-uploads")
}
