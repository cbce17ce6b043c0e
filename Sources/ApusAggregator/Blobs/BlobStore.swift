// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire
internal import Synchronization

/// Files named by digest, under `blobs/` in the data directory.
///
/// A blob is there when its row is: before that its bytes are made durable under a temporary name
/// (fsync), renamed, and the rename made durable (fsync of the directory). No name comes from a peer.
package final class BlobStore: Sendable {
  /// How much may be kept, and for how long.
  package struct Limits: Sendable {
    /// Bytes of all blobs and of uploads under way.
    package var quota: UInt64 = 1 << 40
    /// Bytes that are left free on the disk, so that the database can always be written.
    package var reserve: UInt64 = 64 << 20
    /// Bytes of one blob.
    package var blobSize: UInt64 = 64 << 30
    /// Milliseconds that a blob stays which nobody needs yet.
    package var grace: Int64 = 600_000

    package init() {}
  }

  private struct State {
    /// Bytes of blobs, and of what is being written, whole.
    var used: UInt64 = 0
    /// Bytes of what is being written, whole.
    var reserved: UInt64 = 0
    /// Digests whose files are being renamed; how often.
    var installing: [BlobDigest: Int] = [:]
    /// Digests, and sizes, whose rows were deleted and whose files are to follow.
    var condemned: [BlobDigest: UInt64] = [:]
  }

  package let limits: Limits
  let store: Store
  /// Where digests are computed and files written.
  let lanes = BlobLanes("work", count: 2)
  /// Where files are made durable: several at once share the disk's flush.
  let syncLanes = BlobLanes("sync", count: 4)
  let packing = PackingMemory()
  let spares: SpareFiles
  private let blobsPath: String
  private let uploadsPath: String
  private let state = Mutex(State())

  /// Opens the blobs of a data directory, or begins them; removes what no row knows.
  ///
  /// - Throws: `file-system`, `damaged-store`, the error that was fatal to the store.
  package static func open(in store: Store, limits: Limits = Limits()) async throws -> BlobStore {
    let blobs = try BlobStore(store, limits)
    try await blobs.recover()
    return blobs
  }

  private init(_ store: Store, _ limits: Limits) throws(AggregatorError) {
    self.store = store
    self.limits = limits
    blobsPath = store.directory + "/blobs"
    uploadsPath = store.directory + "/uploads"
    spares = SpareFiles(in: uploadsPath)
    // All 256 at once: the directory of a blob is durable before the blob.
    try DirectoryLock.make(uploadsPath)
    for byte in 0..<256 {
      try DirectoryLock.make(blobsPath + "/" + Self.prefix(UInt8(byte)))
    }
    try BlobFile.synchronize(directory: blobsPath)
    try BlobFile.synchronize(directory: store.directory)
  }

  // MARK: Reading

  /// A blob's bytes.
  ///
  /// - Parameters:
  ///   - digest: its name.
  ///   - isReadWhole: whether all of it is about to be read.
  /// - Returns: the bytes, mapped.
  /// - Throws: `not-found`, `file-system`.
  package func open(
    _ digest: BlobDigest, isReadWhole: Bool = false
  ) throws(AggregatorError) -> MappedBlob {
    try MappedBlob(path(of: digest), isReadWhole: isReadWhole)
  }

  /// What a blob consists of; nil where there is none.
  ///
  /// - Throws: `damaged-store`, the error that was fatal to the store.
  package func manifest(of digest: BlobDigest) async throws -> BlobManifest? {
    try await store.read { try $0.blobManifest(digest) }
  }

  /// Bytes of all blobs and of uploads under way.
  package var usedBytes: UInt64 { state.withLock(\.used) }

  // MARK: Writing

  /// Keeps bytes; on return they survive the loss of power.
  ///
  /// Nobody needs them yet: they stay for the grace period, or until `Transaction.retainBlob`'s owner
  /// releases them.
  /// - Parameters:
  ///   - bytes: all of them.
  ///   - chunkSize: what the blob is cut to.
  /// - Returns: the manifest, whose digest names the blob.
  /// - Throws: `quota-exceeded`, `disk-full`, `file-system`, the error that was fatal to the store.
  @discardableResult
  package func write(
    _ bytes: [UInt8], chunkSize: UInt32 = BlobManifest.usualChunkSize
  ) async throws -> BlobManifest {
    try await write(byteCount: UInt64(bytes.count), chunkSize: chunkSize) { writer in
      try bytes.withUnsafeBytes { try writer.append($0) }
    }
  }

  /// Keeps what `body` writes piece by piece, in constant memory.
  ///
  /// - Parameters:
  ///   - byteCount: how many bytes `body` will write at most.
  ///   - chunkSize: what the blob is cut to.
  ///   - body: runs on a thread for files.
  /// - Returns: the manifest, whose digest names the blob.
  /// - Throws: what `body` throws; otherwise as ``write(_:chunkSize:)``.
  package func write(
    byteCount: UInt64, chunkSize: UInt32 = BlobManifest.usualChunkSize,
    _ body: @escaping @Sendable (inout BlobWriter) throws -> Void
  ) async throws -> BlobManifest {
    try reserve(byteCount)
    let path = uploadsPath + "/\(UInt64.random(in: .min ... .max)).tmp"
    do {
      let manifest = try await lanes.run {
        var writer = BlobWriter(
          file: try BlobFile(path, isNew: true), limit: byteCount, chunkSize: chunkSize)
        try body(&writer)
        return writer.finish()
      }
      try await install(BlobFile(path, isNew: false), as: manifest) { _ in }
      release(byteCount - manifest.size)
      return manifest
    } catch {
      try? BlobFile.remove(path)
      release(byteCount)
      throw error
    }
  }

  /// Makes a file the blob of a manifest: durable, renamed, and then in the database.
  ///
  /// - Parameters:
  ///   - file: with all the bytes, verified; under `uploads/`.
  ///   - manifest: of these bytes.
  ///   - record: what else is written with the blob's row.
  /// - Throws: `file-system`, what `record` throws, the error that was fatal to the store.
  func install(
    _ file: BlobFile, as manifest: BlobManifest,
    _ record: @escaping @Sendable (Transaction) throws -> Void
  ) async throws {
    let digest = manifest.digest
    try await syncing { try file.synchronize() }
    Failpoint.beforeRename.hit()
    state.withLock { $0.installing[digest, default: 0] += 1 }
    defer { endInstalling(digest) }
    let (target, directory) = (path(of: digest), directory(of: digest))
    try await syncing {
      try BlobFile.rename(file.path, to: target)
      try BlobFile.synchronize(directory: directory)
    }
    let wasThere = try await store.write { transaction in
      let wasThere = try transaction.hasBlob(digest)
      try transaction.insertBlob(manifest)
      // After the transaction that deleted the row, and before its file is removed: the file is ours.
      self.state.withLock { _ = $0.condemned.removeValue(forKey: digest) }
      try record(transaction)
      return wasThere
    }
    state.withLock { state in
      state.reserved -= min(state.reserved, manifest.size)
      if wasThere { state.used -= min(state.used, manifest.size) }
    }
  }

  /// Removes blobs that nobody needs.
  ///
  /// - Returns: how many.
  /// - Throws: `file-system`, the error that was fatal to the store.
  @discardableResult
  package func collectGarbage() async throws -> Int {
    var count = 0
    let grace = limits.grace
    while true {
      let garbage = try await store.write { transaction in
        let garbage = try transaction.deleteGarbage(grace: grace)
        self.state.withLock { state in
          for (digest, size) in garbage { state.condemned[digest] = size }
        }
        return garbage
      }
      count += garbage.count
      try await lanes.run {
        for (digest, size) in garbage {
          try self.state.withLock { state throws(AggregatorError) in
            state.used -= min(state.used, size)
            try self.removeIfCondemned(digest, &state)
          }
        }
      }
      if garbage.count < Transaction.garbageLimit { return count }
    }
  }

  private func endInstalling(_ digest: BlobDigest) {
    state.withLock { state in
      let count = (state.installing[digest] ?? 1) - 1
      state.installing[digest] = count == 0 ? nil : count
      // A file that cannot be removed now is removed at the next start.
      try? removeIfCondemned(digest, &state)
    }
  }

  /// Removes a blob's file, unless somebody brings the same bytes at this moment.
  private func removeIfCondemned(
    _ digest: BlobDigest, _ state: inout State
  ) throws(AggregatorError) {
    guard state.installing[digest] == nil,
      let size = state.condemned.removeValue(forKey: digest)
    else { return }
    try spares.add(path(of: digest), size: size)
  }

  // MARK: Room

  /// Takes room for bytes that will be written, before any is.
  ///
  /// - Throws: `quota-exceeded`, `disk-full`.
  func reserve(_ byteCount: UInt64) throws(AggregatorError) {
    guard byteCount <= limits.blobSize else {
      throw AggregatorError(
        .blobTooLarge,
        "A blob of \(byteCount) bytes is too large; \(limits.blobSize) bytes are possible.")
    }
    let free = try freeBytes(for: byteCount)
    try state.withLock { state throws(AggregatorError) in
      guard byteCount <= limits.quota, state.used <= limits.quota - byteCount else {
        throw AggregatorError(
          .quotaExceeded,
          "There is no room for \(byteCount) bytes: \(state.used) of \(limits.quota) are taken.")
      }
      // What others have announced is counted in full, though some of it is written: rather too careful.
      let (needed, overflow) = (state.reserved + limits.reserve).addingReportingOverflow(byteCount)
      guard !overflow, needed <= free else {
        throw AggregatorError(
          .diskFull, "There is no room for \(byteCount) bytes: \(free) are free on the disk.")
      }
      state.used += byteCount
      state.reserved += byteCount
    }
  }

  /// Checks that bytes whose room was taken still find it: somebody else may fill the disk.
  ///
  /// - Throws: `disk-full` where the database's reserve would be touched.
  func checkRoom(for byteCount: Int) throws(AggregatorError) {
    let free = try freeBytes(for: UInt64(byteCount))
    let (needed, overflow) = limits.reserve.addingReportingOverflow(UInt64(byteCount))
    guard !overflow, needed <= free else {
      throw AggregatorError(.diskFull, "The disk has filled up: \(free) bytes are free.")
    }
  }

  /// Bytes that are free on the disk; without spare files, where some more are needed.
  private func freeBytes(for byteCount: UInt64) throws(AggregatorError) -> UInt64 {
    let free = try BlobFile.freeBytes(at: uploadsPath)
    let reserved = state.withLock(\.reserved)
    guard free < limits.reserve.addingReportingOverflow(byteCount + reserved).partialValue,
      spares.removeAll()
    else { return free }
    return try BlobFile.freeBytes(at: uploadsPath)
  }

  func release(_ byteCount: UInt64) {
    state.withLock { state in
      state.used -= min(state.used, byteCount)
      state.reserved -= min(state.reserved, byteCount)
    }
  }

  /// Where an upload's bytes are until they are complete.
  func uploadPath(_ id: Int64) -> String { uploadsPath + "/\(id).part" }

  /// Runs what makes something durable; where that fails, the store is at its end.
  func syncing<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    do {
      return try await syncLanes.run(body)
    } catch let error as AggregatorError {
      if error.code == .syncFailed { store.fail(error) }
      throw error
    }
  }

  // MARK: Private

  private func path(of digest: BlobDigest) -> String {
    directory(of: digest) + "/" + String(digest.hex.dropFirst(2))
  }

  private func directory(of digest: BlobDigest) -> String {
    blobsPath + "/" + Self.prefix(digest.bytes[0])
  }

  private static func prefix(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }

  /// Brings files and rows together again after a crash.
  ///
  /// Files that no row knows are removed. One that was renamed, and whose row was not written, becomes
  /// the upload again that it was; an upload without a file begins anew.
  private func recover() async throws {
    let (blobs, uploads) = try await store.read { transaction in
      (try transaction.allBlobs(), try transaction.unfinishedUploads())
    }
    let known = Set(blobs.map(\.digest))
    let lost = try await lanes.run { () throws -> [Int64] in
      for byte in UInt8.min...UInt8.max {
        let directory = self.blobsPath + "/" + Self.prefix(byte)
        for name in try BlobFile.names(in: directory) {
          let digest = BlobDigest(hex: Self.prefix(byte) + name)
          if let digest, known.contains(digest) { continue }
          let upload = uploads.first { $0.digest == digest }
          if let upload, !BlobFile.exists(self.uploadPath(upload.id)) {
            try BlobFile.rename(directory + "/" + name, to: self.uploadPath(upload.id))
          } else {
            try BlobFile.remove(directory + "/" + name)
          }
        }
      }
      let parts = Set(uploads.map { "\($0.id).part" })
      for name in try BlobFile.names(in: self.uploadsPath) where !parts.contains(name) {
        try BlobFile.remove(self.uploadsPath + "/" + name)
      }
      return try uploads.filter { upload in
        let path = self.uploadPath(upload.id)
        guard BlobFile.exists(path) else { return true }
        return try BlobFile(path, isNew: false).size() != upload.size
      }.map(\.id)
    }
    try await syncing { try BlobFile.synchronize(directory: self.uploadsPath) }
    if !lost.isEmpty {
      try await store.write { transaction in
        for id in lost { try transaction.forgetProgress(of: id) }
      }
    }
    state.withLock { state in
      state.reserved = uploads.reduce(0) { $0 + $1.size }
      state.used = blobs.reduce(state.reserved) { $0 + $1.size }
    }
  }
}

extension AggregatorError.Code {
  /// Blobs may not take more room.
  public static let quotaExceeded = Self(rawValue: "quota-exceeded")
  /// A blob is larger than is allowed.
  public static let blobTooLarge = Self(rawValue: "blob-too-large")
}
