// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import Synchronization

/// An upload that chunks come for now, over one stream or several.
///
/// Chunks are verified and written as they come, in any order; every 16 MiB, or a second after the
/// first that is not, they are made durable and then noted in the database. What is noted is durable:
/// after a crash nothing else of the file is believed.
final class UploadSession: Sendable {
  private struct State {
    /// Chunks that are written, durable or not.
    var written: ChunkSet
    /// Chunks that are durable and noted.
    var durable: ChunkSet
    /// Chunks that this process has seen; others come from before it, and are read again at the end.
    var verified: ChunkSet
    var unsynchronizedBytes = 0
    var isTimerSet = false
    var isComplete = false
    /// Who waits for a synchronization that has not begun.
    var waiting: [CheckedContinuation<Void, any Error>] = []
    var isSynchronizing = false
  }

  /// Bytes after which what is written is made durable.
  private static let syncInterval = 16 << 20

  /// Bytes after which the disk is asked to begin with them.
  private static let writeInterval = 4 << 20

  let id: Int64
  let manifest: BlobManifest
  private let blobs: BlobStore
  private let file: BlobFile
  private let lifetime: Int64
  private let state: Mutex<State>

  /// - Throws: `file-system`, `disk-full`.
  init(_ record: UploadRecord, in blobs: BlobStore, lifetime: Int64) throws(AggregatorError) {
    id = record.id
    manifest = record.manifest
    self.blobs = blobs
    self.lifetime = lifetime
    let path = blobs.uploadPath(record.id)
    var present = record.present
    var file: BlobFile?
    if BlobFile.exists(path) {
      let old = try BlobFile(path, isNew: false)
      if try old.size() == record.manifest.size { file = old } else { try BlobFile.remove(path) }
    }
    if file == nil {
      // It was never made durable, so nothing of it was noted; or it was lost, and what is noted is void.
      present = ChunkSet(chunkCount: record.manifest.chunkCount)
      let isSpare =
        !record.manifest.hasHoles && blobs.spares.take(record.manifest.size, as: path)
      let new = try BlobFile(path, isNew: !isSpare)
      try new.setSize(record.manifest.size)
      file = new
    }
    guard let file else { preconditionFailure("There is no file.") }
    self.file = file
    state = Mutex(
      State(
        written: present, durable: present,
        verified: ChunkSet(chunkCount: record.manifest.chunkCount)))
  }

  /// Verifies a chunk and writes it; in what order and how often does not matter.
  ///
  /// Runs on a lane.
  /// - Throws: `wrong-chunk` where it is not the one that the manifest says; `disk-full`,
  ///   `file-system`.
  func accept(_ chunk: ChunkMessage, in message: [UInt8]) throws(AggregatorError) {
    guard chunk.index < manifest.chunkCount else {
      throw AggregatorError(
        .wrongChunk, "There is no chunk \(chunk.index): the blob has \(manifest.chunkCount).")
    }
    let index = Int(chunk.index)
    let range = manifest.range(ofChunk: index)
    let count = Int(range.upperBound - range.lowerBound)
    try message.withUnsafeBufferPointer { message throws(AggregatorError) in
      let data = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(message)[chunk.data])
      guard chunk.encoding == .zstd else { return try accept(data, at: index, range) }
      // As much as the manifest says, whatever the frame announces.
      let unpacked = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
      defer { unpacked.deallocate() }
      do throws(WireError) {
        try Zstandard.unpack(data, into: unpacked)
      } catch {
        throw AggregatorError(.wrongChunk, error.message, cause: error)
      }
      try accept(UnsafeRawBufferPointer(unpacked), at: index, range)
    }
  }

  private func accept(
    _ data: UnsafeRawBufferPointer, at index: Int, _ range: Range<UInt64>
  ) throws(AggregatorError) {
    guard manifest.verifies(data, asChunk: index) else {
      throw AggregatorError(
        .wrongChunk,
        "Chunk \(index) has \(data.count) bytes or a digest that its manifest does not say.")
    }
    if state.withLock({ $0.written.contains(index) }) { return }
    // It reads as zeros: the file of a blob with holes was never another's.
    if !manifest.isHole(index) {
      try blobs.checkRoom(for: data.count)
      try file.write(data, at: range.lowerBound)
    }
    let (isDue, mustSetTimer, mustWrite) = state.withLock { state in
      state.written.insert(index)
      state.verified.insert(index)
      let before = state.unsynchronizedBytes / Self.writeInterval
      state.unsynchronizedBytes += data.count
      let mustWrite = state.unsynchronizedBytes / Self.writeInterval > before
      // The last ones are made durable with the whole.
      let isDue =
        state.unsynchronizedBytes >= Self.syncInterval && !state.isSynchronizing
        && !state.written.isFull
      defer { state.isTimerSet = true }
      return (isDue, !state.isTimerSet, mustWrite)
    }
    // Chunks mostly come in order: those before this one.
    if mustWrite {
      let length = UInt64(Self.writeInterval)
      file.beginWriting(max(range.upperBound, length) - length..<range.upperBound)
    }
    Failpoint.midBlob.hit()
    if isDue { Task { try await self.synchronize() } }
    if mustSetTimer {
      blobs.syncLanes.run(after: 1) { [weak self] in
        guard let self else { return }
        let isDue = state.withLock { state in
          state.isTimerSet = false
          return state.unsynchronizedBytes > 0 && !state.isSynchronizing && !state.isComplete
        }
        if isDue { Task { try await self.synchronize() } }
      }
    }
  }

  /// Makes what was written before this call durable, and notes it; the blob too, where it is complete.
  ///
  /// - Returns: what is durable.
  /// - Throws: the error that was fatal to the store.
  func finish() async throws -> (present: ChunkSet, isComplete: Bool) {
    try await synchronize()
    return state.withLock { ($0.durable, $0.isComplete) }
  }

  /// One synchronization at a time; who comes during one waits for the next, with all others who do.
  private func synchronize() async throws {
    try await withCheckedThrowingContinuation {
      (continuation: CheckedContinuation<Void, any Error>) in
      let mustBegin = state.withLock { state in
        state.waiting.append(continuation)
        defer { state.isSynchronizing = true }
        return !state.isSynchronizing
      }
      if mustBegin { Task { await self.runSynchronizations() } }
    }
  }

  private func runSynchronizations() async {
    while true {
      let waiting = state.withLock { state in
        defer { state.waiting = [] }
        if state.waiting.isEmpty { state.isSynchronizing = false }
        return state.waiting
      }
      if waiting.isEmpty { return }
      do {
        try await synchronizeOnce()
        for continuation in waiting { continuation.resume() }
      } catch {
        for continuation in waiting { continuation.resume(throwing: error) }
      }
    }
  }

  private func synchronizeOnce() async throws {
    let (written, isComplete, isNews) = state.withLock { state in
      state.unsynchronizedBytes = 0
      return (state.written, state.isComplete, state.written != state.durable)
    }
    if isComplete { return }
    if written.isFull, try await complete() { return }
    guard isNews else { return }
    let (id, lifetime) = (id, lifetime)
    // Again, because chunks may have turned out damaged.
    let present = state.withLock(\.written)
    try await blobs.syncing { try self.file.synchronize() }
    try await blobs.store.write { try $0.progress(of: id, present, lifetime: lifetime) }
    state.withLock { $0.durable = present }
  }

  /// Makes the blob of the file.
  ///
  /// - Returns: false where chunks from before this process turn out damaged; they are to be sent again.
  private func complete() async throws -> Bool {
    let old = state.withLock { state in
      state.written.members.filter { !state.verified.contains($0) }
    }
    if !old.isEmpty {
      let damaged = try await blobs.lanes.run { try self.damaged(among: old) }
      state.withLock { state in
        for index in old { state.verified.insert(index) }
        for index in damaged {
          state.verified.remove(index)
          state.written.remove(index)
          state.durable.remove(index)
        }
      }
      if !damaged.isEmpty { return false }
    }
    let (id, lifetime) = (id, lifetime)
    try await blobs.install(file, as: manifest) { transaction in
      try transaction.completeUpload(id, lifetime: lifetime)
    }
    state.withLock { state in
      state.durable = state.written
      state.isComplete = true
    }
    return true
  }

  private func damaged(among indices: [Int]) throws(AggregatorError) -> [Int] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Int(manifest.chunkSize), alignment: 64)
    defer { buffer.deallocate() }
    var damaged: [Int] = []
    for index in indices {
      let range = manifest.range(ofChunk: index)
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer[..<Int(range.upperBound - range.lowerBound)])
      try file.read(into: part, at: range.lowerBound)
      if !manifest.verifies(UnsafeRawBufferPointer(part), asChunk: index) { damaged.append(index) }
    }
    return damaged
  }
}

extension AggregatorError.Code {
  /// A chunk is not the one that the manifest says.
  public static let wrongChunk = Self(rawValue: "wrong-chunk")
}
