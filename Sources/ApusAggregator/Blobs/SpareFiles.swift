// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Files of blobs that nobody needs any more, which the next uploads of the same size write over.
///
/// Every round brings updates of one size and removes those of the round before. A file that is there costs a tenth
/// of a new one: it has its blocks, its inode and its pages in memory. What a spare file has in it is never read,
/// because an upload counts only chunks that were written to it. Spare files have no row, so the next start removes
/// them; they go, too, when the disk is short.
final class SpareFiles: Sendable {
  /// Bytes of all spare files: rather for updates than for data sets.
  static let totalLimit: UInt64 = 1 << 30

  private struct State {
    var paths: [UInt64: [String]] = [:]
    var total: UInt64 = 0
    var count = 0
  }

  private let directory: String
  private let state = Mutex(State())

  /// - Parameter directory: on the blobs' file system; emptied of unknown names at the next start.
  init(in directory: String) { self.directory = directory }

  /// Takes the file of a blob that nobody needs; one too many is removed.
  ///
  /// - Throws: `file-system`.
  func add(_ path: String, size: UInt64) throws(AggregatorError) {
    let spare = state.withLock { state -> String? in
      guard size > 0, size <= Self.totalLimit - state.total else { return nil }
      state.total += size
      state.count += 1
      return directory + "/\(state.count).spare"
    }
    guard let spare else { return try BlobFile.remove(path) }
    // Where it cannot be kept it can be removed.
    do throws(AggregatorError) { try BlobFile.rename(path, to: spare) } catch {
      state.withLock { $0.total -= size }
      return try BlobFile.remove(path)
    }
    state.withLock { $0.paths[size, default: []].append(spare) }
  }

  /// Gives a spare file a new name.
  ///
  /// - Returns: whether there was one of this size.
  func take(_ size: UInt64, as path: String) -> Bool {
    let spare = state.withLock { state -> String? in
      // What was written last is the likeliest to be in memory.
      guard let spare = state.paths[size]?.popLast() else { return nil }
      state.total -= size
      return spare
    }
    guard let spare else { return false }
    return (try? BlobFile.rename(spare, to: path)) != nil
  }

  /// Removes them all.
  ///
  /// - Returns: whether there were any.
  func removeAll() -> Bool {
    let paths = state.withLock { state in
      let paths = state.paths.values.flatMap { $0 }
      (state.paths, state.total) = ([:], 0)
      return paths
    }
    // One that cannot be removed now is removed at the next start.
    for path in paths { try? BlobFile.remove(path) }
    return !paths.isEmpty
  }
}
