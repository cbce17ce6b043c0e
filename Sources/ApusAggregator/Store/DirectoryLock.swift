// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The right to be the only aggregator that works in a data directory, as long as it is kept.
///
/// The system gives it up with the process, however that ends.
package final class DirectoryLock: Sendable {
  private let descriptor: Int32

  /// Makes the directory where it is not there (0700) and locks its file `lock`.
  ///
  /// - Throws: `directory-in-use` with the other process's id; `file-system`.
  package init(_ directory: String) throws(AggregatorError) {
    try Self.make(directory)
    let path = directory + "/lock"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system("open", path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let error = errno
      defer { close(descriptor) }
      guard error == EWOULDBLOCK else { throw .system("lock", path, error) }
      var text = [UInt8](repeating: 0, count: 32)
      let count = max(0, pread(descriptor, &text, text.count, 0))
      let owner = String(
        decoding: text[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
      throw AggregatorError(
        .directoryInUse,
        "Another aggregator works in \(directory): process \(owner.isEmpty ? "unknown" : owner). "
          + "Stop it first, or choose another data directory.")
    }
    let text = Array("\(getpid())\n".utf8)
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.count, 0) == text.count
    else {
      let error = errno
      close(descriptor)
      throw .system("write", path, error)
    }
    self.descriptor = descriptor
  }

  deinit {
    release()
    close(descriptor)
  }

  /// Gives the right up before this is dropped, also where a child that is being started has a copy of the descriptor.
  package func release() { _ = flock(descriptor, LOCK_UN) }

  /// Makes a directory, and those above it, that only their owner may enter.
  ///
  /// - Throws: `file-system`.
  package static func make(_ directory: String) throws(AggregatorError) {
    var path = directory.hasPrefix("/") ? "/" : ""
    for part in directory.split(separator: "/") {
      path += part + "/"
      guard mkdir(path, 0o700) == 0 || errno == EEXIST || errno == EISDIR else {
        throw .system("make the directory", path)
      }
    }
  }
}

extension AggregatorError {
  /// What the system says of its last failure.
  package static func system(
    _ verb: String, _ path: String, _ number: Int32 = errno
  ) -> AggregatorError {
    let isFull = number == ENOSPC || number == EDQUOT
    return AggregatorError(
      isFull ? .diskFull : .fileSystem,
      "Cannot \(verb) \(path): \(String(cString: strerror(number))).")
  }
}

extension AggregatorError.Code {
  /// Another aggregator works in the data directory.
  public static let directoryInUse = Self(rawValue: "directory-in-use")
}
