// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An open file that a blob's bytes are written to, at any place in any order.
final class BlobFile: Sendable {
  let path: String
  private let descriptor: Int32

  /// Opens a file, and makes it where it is not there.
  ///
  /// - Throws: `file-system`, `disk-full`.
  init(_ path: String, isNew: Bool) throws(AggregatorError) {
    let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (isNew ? O_CREAT | O_EXCL : 0)
    descriptor = open(path, flags, 0o600)
    self.path = path
    guard descriptor >= 0 else { throw .system(isNew ? "create" : "open", path) }
  }

  deinit { close(descriptor) }

  /// Gives the file its length; what is not written reads as zeros and takes no room.
  func setSize(_ size: UInt64) throws(AggregatorError) {
    guard let length = Int64(exactly: size), ftruncate(descriptor, off_t(length)) == 0 else {
      throw .system("enlarge", path)
    }
  }

  func size() throws(AggregatorError) -> UInt64 {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system("look at", path) }
    return UInt64(status.st_size)
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(AggregatorError) {
    var rest = bytes[...]
    var place = offset
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let count = pwrite(descriptor, part.baseAddress, part.count, off_t(place))
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { throw .system("write", path) }
      rest = rest.dropFirst(count)
      place += UInt64(count)
    }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(AggregatorError) {
    var done = 0
    while done < buffer.count {
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = pread(descriptor, part.baseAddress, part.count, off_t(offset) + off_t(done))
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { throw .system("read", path) }
      done += count
    }
  }

  /// Asks the system to begin writing these bytes to the disk, so that ``synchronize()`` is short.
  func beginWriting(_ range: Range<UInt64>) {
    #if !canImport(Darwin)
      // Of pages that are not written yet this says no more than that; it is the portable name of
      // Linux's sync_file_range(SYNC_FILE_RANGE_WRITE).
      _ = posix_fadvise(
        descriptor, off_t(range.lowerBound), off_t(range.upperBound - range.lowerBound),
        POSIX_FADV_DONTNEED)
    #endif
  }

  /// Makes what was written survive the loss of power.
  ///
  /// - Throws: `sync-failed`, which is fatal: what was written before may be lost, and no second call
  ///   would say so.
  func synchronize() throws(AggregatorError) {
    guard fsync(descriptor) == 0 else { throw .failedSync(path) }
  }

  // MARK: Directories

  /// Makes what was renamed or removed in a directory survive the loss of power.
  ///
  /// - Throws: `sync-failed`, `file-system`.
  static func synchronize(directory: String) throws(AggregatorError) {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", directory) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .failedSync(directory) }
  }

  static func rename(_ path: String, to target: String) throws(AggregatorError) {
    #if canImport(Darwin)
      let status = Darwin.rename(path, target)
    #elseif canImport(Musl)
      let status = Musl.rename(path, target)
    #else
      let status = Glibc.rename(path, target)
    #endif
    guard status == 0 else { throw .system("rename", path) }
  }

  static func remove(_ path: String) throws(AggregatorError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw .system("remove", path) }
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// The names in a directory; none where it is not there.
  static func names(in directory: String) throws(AggregatorError) -> [String] {
    guard let stream = opendir(directory) else {
      if errno == ENOENT { return [] }
      throw .system("open", directory)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  /// Bytes that are free for us on the disk that a path is on.
  static func freeBytes(at path: String) throws(AggregatorError) -> UInt64 {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { throw .system("look at", path) }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize)
  }
}

extension AggregatorError {
  static func failedSync(_ path: String) -> AggregatorError {
    let system = AggregatorError.system("make durable", path)
    return AggregatorError(.syncFailed, system.message, cause: system)
  }
}

extension AggregatorError.Code {
  /// What was written may not survive; the process must end.
  public static let syncFailed = Self(rawValue: "sync-failed")
}
