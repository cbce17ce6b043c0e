// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// An upload as the database knows it.
struct UploadRecord: Sendable {
  var id: Int64
  var manifest: BlobManifest
  var isComplete: Bool
  /// Chunks that survive the loss of power.
  var present: ChunkSet
}

/// An upload that was not complete, and is over.
struct ExpiredUpload: Sendable {
  var id: Int64
  var size: UInt64
}

extension Transaction {
  /// The upload of a blob that a caller has announced; nil where it has not, or it is over.
  func upload(
    of digest: BlobDigest, by caller: String
  ) throws(AggregatorError) -> UploadRecord? {
    try first(
      """
      SELECT id, is_complete, size, chunk_size, chunk_digests, present
      FROM uploads LEFT JOIN upload_progress ON upload = id
      WHERE caller = ? AND digest = ? AND expires_ms > ?
      """, caller, digest.bytes, time
    ) { row throws(AggregatorError) in
      let manifest = try BlobManifest(
        size: row[2], chunkSize: row[3], chunkDigests: row[4], of: digest.bytes)
      let bits: [UInt8]? = try row[5]
      let count = manifest.chunkCount
      guard
        let present = bits.map({ ChunkSet(bits: $0, chunkCount: count) })
          ?? ChunkSet(chunkCount: count)
      else { throw AggregatorError(.damagedStore, "An upload's progress is of another blob.") }
      return UploadRecord(
        id: try row[0], manifest: manifest, isComplete: try row[1], present: present)
    }
  }

  /// How many uploads of a caller are under way, or of blobs that nobody needs yet.
  func openUploadCount(of caller: String) throws(AggregatorError) -> Int {
    try value(
      """
      SELECT count(*) FROM uploads WHERE caller = ? AND (is_complete = 0 OR NOT EXISTS (
        SELECT 1 FROM blob_references r WHERE r.digest = uploads.digest))
      """, caller) ?? 0
  }

  /// Announces an upload.
  ///
  /// - Returns: its id, which was never another's.
  func beginUpload(
    of manifest: BlobManifest, by caller: String, isComplete: Bool, lifetime: Int64
  ) throws(AggregatorError) -> Int64 {
    try run(
      """
      INSERT INTO uploads (caller, digest, is_complete, expires_ms, size, chunk_size, chunk_digests)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      """, caller, manifest.digest.bytes, isComplete, time + lifetime, manifest.size,
      manifest.chunkSize, manifest.chunkDigests)
    return database.lastInsertedRow
  }

  /// Says that these chunks of an upload are durable, and that it goes on.
  func progress(
    of upload: Int64, _ present: ChunkSet, lifetime: Int64
  ) throws(AggregatorError) {
    // Nothing where it expired meanwhile.
    guard try prolong(upload, lifetime: lifetime) else { return }
    try run(
      """
      INSERT INTO upload_progress VALUES (?, ?)
      ON CONFLICT (upload) DO UPDATE SET present = excluded.present
      """, upload, present.bits)
  }

  /// Lets an upload live on from now.
  ///
  /// - Returns: whether it is there.
  @discardableResult
  func prolong(_ upload: Int64, lifetime: Int64) throws(AggregatorError) -> Bool {
    try run("UPDATE uploads SET expires_ms = ? WHERE id = ?", time + lifetime, upload) > 0
  }

  /// Says that an upload is complete.
  func completeUpload(_ upload: Int64, lifetime: Int64) throws(AggregatorError) {
    try run(
      "UPDATE uploads SET is_complete = 1, expires_ms = ? WHERE id = ?", time + lifetime, upload)
    try run("DELETE FROM upload_progress WHERE upload = ?", upload)
  }

  /// Ends uploads that did not go on for so long; their blobs, where they are complete, become garbage
  /// unless somebody needs them.
  ///
  /// - Returns: those that were not complete.
  func deleteExpiredUploads() throws(AggregatorError) -> [ExpiredUpload] {
    try rows(
      "DELETE FROM uploads WHERE expires_ms <= ? RETURNING id, size, is_complete", time
    ) { row throws(AggregatorError) -> (Int64, UInt64, Bool) in
      (try row[0], try row[1], try row[2])
    }.filter { !$0.2 }.map { ExpiredUpload(id: $0.0, size: $0.1) }
  }

  /// Ends an upload, whatever its state.
  ///
  /// - Returns: it, where it was not complete.
  func deleteUpload(
    of digest: BlobDigest, by caller: String
  ) throws(AggregatorError) -> ExpiredUpload? {
    try rows(
      "DELETE FROM uploads WHERE caller = ? AND digest = ? RETURNING id, size, is_complete", caller,
      digest.bytes
    ) { row throws(AggregatorError) -> (Int64, UInt64, Bool) in
      (try row[0], try row[1], try row[2])
    }.filter { !$0.2 }.map { ExpiredUpload(id: $0.0, size: $0.1) }.first
  }

  /// Says that nothing of an upload is durable.
  func forgetProgress(of upload: Int64) throws(AggregatorError) {
    try run("DELETE FROM upload_progress WHERE upload = ?", upload)
  }

  /// Uploads that are announced and not complete.
  func unfinishedUploads() throws(AggregatorError) -> [(
    id: Int64, digest: BlobDigest, size: UInt64
  )] {
    try rows("SELECT id, digest, size FROM uploads WHERE is_complete = 0 ORDER BY id") {
      row throws(AggregatorError) -> (Int64, BlobDigest, UInt64) in
      (try row[0], try row.digest(1), try row[2])
    }
  }
}
