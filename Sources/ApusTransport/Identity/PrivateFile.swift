// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Files that only their owner may read.
package enum PrivateFile {
  package static let limit = 1 << 20

  /// Makes a directory that only its owner may enter (0700), and those above it; one that is there stays as it is.
  package static func makeDirectory(_ path: String) throws(TransportError) {
    if mkdir(path, 0o700) == 0 {
      try synchronizeParent(of: path)
      return
    }
    if errno == ENOENT, let slash = trimmed(path).lastIndex(of: "/"), slash > path.startIndex {
      try makeDirectory(String(trimmed(path)[..<slash]))
      if mkdir(path, 0o700) == 0 {
        try synchronizeParent(of: path)
        return
      }
    }
    let number = errno
    var status = stat()
    guard number == EEXIST, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw system("make the directory", path, number)
    }
  }

  /// Replaces a file, for its owner's eyes only; on return it has survived a power failure.
  package static func write(_ bytes: [UInt8], to path: String) throws(TransportError) {
    do {
      try DurableFile.write(bytes, to: path, permissions: 0o600)
    } catch {
      throw TransportError(.fileSystem, error.message, cause: error)
    }
  }

  /// Reads a file that holds a secret.
  ///
  /// - Throws: ``TransportError``: `exposed-key` where others may read or write it, with the command that mends
  ///   it; `missing-identity` where there is no such file; `file-system`.
  package static func read(secret path: String) throws(TransportError) -> [UInt8] {
    try read(path, isSecret: true)
  }

  /// Reads a file that others may know.
  package static func read(_ path: String) throws(TransportError) -> [UInt8] {
    try read(path, isSecret: false)
  }

  /// Removes a file, durably; that there is none is no error.
  package static func remove(_ path: String) throws(TransportError) {
    guard unlink(path) == 0 else {
      guard errno == ENOENT else { throw system("remove", path, errno) }
      return
    }
    try synchronizeParent(of: path)
  }

  package static func exists(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0
  }

  private static func read(_ path: String, isSecret: Bool) throws(TransportError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT {
        throw TransportError(.missingIdentity, "There is no file \(path).")
      }
      throw system("open", path, errno)
    }
    defer { close(descriptor) }
    var status = stat()
    // Of the open file, so that nobody exchanges it between the question and the reading.
    guard fstat(descriptor, &status) == 0 else { throw system("read", path, errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw TransportError(.fileSystem, "\(path) is not a file.")
    }
    if isSecret { try check(status, path) }
    guard status.st_size <= limit else {
      throw TransportError(
        .malformed, "\(path) has more than 1 MiB, which no key or certificate has.")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var count = 0
    while count < bytes.count {
      let more = bytes.withUnsafeMutableBytes { buffer in
        systemRead(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
      }
      if more < 0 && errno == EINTR { continue }
      guard more >= 0 else { throw system("read", path, errno) }
      guard more > 0 else { break }
      count += more
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  private static func check(_ status: stat, _ path: String) throws(TransportError) {
    let permissions = UInt32(status.st_mode) & 0o777
    guard permissions & 0o077 == 0 else {
      throw TransportError(
        .exposedKey,
        "\(path) holds a secret, and others may read or change it (its mode is "
          + "\(String(permissions, radix: 8))). Mend it: chmod 600 \(quoted(path))")
    }
    // Root reads what belongs to the user that a service runs as.
    let user = geteuid()
    guard status.st_uid == user || status.st_uid == 0 || user == 0 else {
      throw TransportError(
        .exposedKey,
        "\(path) holds a secret, and belongs to another user (number \(status.st_uid)). Mend it, as "
          + "root: chown \(user) \(quoted(path))")
    }
  }

  private static func systemRead(
    _ descriptor: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int
  ) -> Int {
    #if canImport(Darwin)
      Darwin.read(descriptor, start, count)
    #elseif canImport(Musl)
      Musl.read(descriptor, start, count)
    #else
      Glibc.read(descriptor, start, count)
    #endif
  }

  private static func trimmed(_ path: String) -> Substring {
    var path = path[...]
    while path.count > 1 && path.last == "/" { path = path.dropLast() }
    return path
  }

  private static func synchronizeParent(of path: String) throws(TransportError) {
    let path = trimmed(path)
    let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
    do {
      try DurableFile.synchronize(directory: parent)
    } catch {
      throw TransportError(.fileSystem, error.message, cause: error)
    }
  }

  private static func quoted(_ path: String) -> String {
    "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }

  private static func system(_ verb: String, _ path: String, _ number: Int32) -> TransportError {
    TransportError(.fileSystem, "Cannot \(verb) \(path): \(String(cString: strerror(number))).")
  }
}
