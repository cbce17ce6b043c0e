// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// The tables of blobs, of who needs them, and of uploads under way.
enum BlobTables {
  static let tables = [
    // The manifest's digests last: sizes and times are read without them.
    """
    CREATE TABLE blobs (
      digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
      size INTEGER NOT NULL,
      chunk_size INTEGER NOT NULL,
      touched_ms INTEGER NOT NULL,
      chunk_digests BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE blob_references (
      digest BLOB NOT NULL REFERENCES blobs (digest),
      owner TEXT NOT NULL,
      PRIMARY KEY (digest, owner)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX blob_references_by_owner ON blob_references (owner)",
    """
    CREATE TABLE uploads (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      caller TEXT NOT NULL,
      digest BLOB NOT NULL CHECK (length(digest) = 32),
      is_complete INTEGER NOT NULL,
      expires_ms INTEGER NOT NULL,
      size INTEGER NOT NULL,
      chunk_size INTEGER NOT NULL,
      chunk_digests BLOB NOT NULL,
      UNIQUE (caller, digest)
    ) STRICT
    """,
    "CREATE INDEX uploads_by_digest ON uploads (digest)",
    "CREATE INDEX uploads_by_expiry ON uploads (expires_ms)",
    // Apart from the manifest, which would be written anew with every change.
    """
    CREATE TABLE upload_progress (
      upload INTEGER PRIMARY KEY REFERENCES uploads (id) ON DELETE CASCADE,
      present BLOB NOT NULL
    ) STRICT
    """,
  ]
}

extension Transaction {
  /// Keeps a blob as long as this owner needs it.
  ///
  /// - Parameters:
  ///   - digest: of a blob that is there.
  ///   - owner: whatever names who needs it, for example `model/TASK/3`.
  /// - Throws: `not-found` where there is no such blob.
  package func retainBlob(_ digest: BlobDigest, for owner: String) throws(AggregatorError) {
    do throws(AggregatorError) {
      try run("INSERT OR IGNORE INTO blob_references VALUES (?, ?)", digest.bytes, owner)
    } catch {
      guard error.sqlite?.isMissingReference == true else { throw error }
      throw AggregatorError(.notFound, "There is no blob \(digest).")
    }
  }

  /// Says that an owner needs none of its blobs any more.
  ///
  /// Those that nobody else needs are removed with the next garbage collection.
  /// - Throws: nothing that is not fatal.
  package func releaseBlobs(of owner: String) throws(AggregatorError) {
    let digests = try rows("DELETE FROM blob_references WHERE owner = ? RETURNING digest", owner) {
      row throws(AggregatorError) -> [UInt8] in try row[0]
    }
    for digest in digests { try forgetUnreferenced(digest) }
  }

  /// Says that an owner does not need a blob any more.
  ///
  /// - Throws: nothing that is not fatal.
  package func releaseBlob(_ digest: BlobDigest, of owner: String) throws(AggregatorError) {
    let count = try run(
      "DELETE FROM blob_references WHERE digest = ? AND owner = ?", digest.bytes, owner)
    if count > 0 { try forgetUnreferenced(digest.bytes) }
  }

  /// Whether a blob is there, durable.
  package func hasBlob(_ digest: BlobDigest) throws(AggregatorError) -> Bool {
    try blobSize(digest) != nil
  }

  /// Bytes in a blob; nil where there is none.
  package func blobSize(_ digest: BlobDigest) throws(AggregatorError) -> UInt64? {
    try value("SELECT size FROM blobs WHERE digest = ?", digest.bytes)
  }

  /// What a blob consists of; nil where there is none.
  ///
  /// - Throws: `damaged-store` where what is stored is not the manifest of this digest.
  package func blobManifest(_ digest: BlobDigest) throws(AggregatorError) -> BlobManifest? {
    try first(
      "SELECT size, chunk_size, chunk_digests FROM blobs WHERE digest = ?", digest.bytes
    ) { row throws(AggregatorError) in
      try BlobManifest(size: row[0], chunkSize: row[1], chunkDigests: row[2], of: digest.bytes)
    }
  }

  /// Says that a blob's file is there and durable.
  func insertBlob(_ manifest: BlobManifest) throws(AggregatorError) {
    try run(
      """
      INSERT INTO blobs (digest, size, chunk_size, touched_ms, chunk_digests)
      VALUES (?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET touched_ms = excluded.touched_ms
      """, manifest.digest.bytes, manifest.size, manifest.chunkSize, time, manifest.chunkDigests)
  }

  /// Keeps an unreferenced blob for another grace period.
  ///
  /// - Returns: whether it is there.
  func touchBlob(_ digest: BlobDigest) throws(AggregatorError) -> Bool {
    try run("UPDATE blobs SET touched_ms = ? WHERE digest = ?", time, digest.bytes) > 0
  }

  /// Blobs that are removed with one transaction.
  static let garbageLimit = 1000

  /// Deletes the rows of blobs that nobody needs and nobody has touched for `grace` milliseconds.
  ///
  /// - Returns: their digests and sizes.
  func deleteGarbage(grace: Int64) throws(AggregatorError) -> [(digest: BlobDigest, size: UInt64)] {
    try rows(
      """
      DELETE FROM blobs WHERE digest IN (
        SELECT digest FROM blobs WHERE touched_ms <= ?
          AND NOT EXISTS (SELECT 1 FROM blob_references r WHERE r.digest = blobs.digest)
          AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.digest = blobs.digest AND u.is_complete = 1)
        LIMIT ?)
      RETURNING digest, size
      """, time - grace, Self.garbageLimit
    ) { row throws(AggregatorError) -> (BlobDigest, UInt64) in
      (try row.digest(0), try row[1])
    }
  }

  /// Every blob's digest and size.
  func allBlobs() throws(AggregatorError) -> [(digest: BlobDigest, size: UInt64)] {
    try rows("SELECT digest, size FROM blobs") {
      row throws(AggregatorError) -> (BlobDigest, UInt64) in (try row.digest(0), try row[1])
    }
  }

  private func forgetUnreferenced(_ digest: [UInt8]) throws(AggregatorError) {
    let isNeeded = try value(
      "SELECT EXISTS (SELECT 1 FROM blob_references WHERE digest = ?)", digest, as: Bool.self)
    if isNeeded == true { return }
    try run("UPDATE blobs SET touched_ms = 0 WHERE digest = ?", digest)
    // Whoever uploaded it has seen it used: the upload keeps nothing any more.
    try run("DELETE FROM uploads WHERE digest = ? AND is_complete = 1", digest)
  }
}

extension Row {
  /// A column that holds a blob's digest.
  ///
  /// - Throws: `damaged-store` where it holds something else.
  package func digest(_ column: Int32) throws(AggregatorError) -> BlobDigest {
    guard let digest = BlobDigest(bytes: try self[column] as [UInt8]) else {
      throw AggregatorError(.damagedStore, "A blob's digest is not 32 bytes.")
    }
    return digest
  }
}

extension BlobManifest {
  /// As it was stored.
  init(
    size: UInt64, chunkSize: UInt32, chunkDigests: [UInt8], of digest: [UInt8]
  ) throws(AggregatorError) {
    do throws(WireError) {
      self = try BlobManifest(size: size, chunkSize: chunkSize, chunkDigests: chunkDigests)
    } catch {
      throw AggregatorError(.damagedStore, error.message, cause: error)
    }
    guard self.digest.bytes == digest else {
      throw AggregatorError(.damagedStore, "A blob's manifest does not have its digest.")
    }
  }
}
