// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Files that are either the old ones or the new ones, whole, whenever the power fails.
package enum DurableFile {
  /// Writes a file, or replaces the one that is there.
  ///
  /// The bytes go to a new file in the same directory, which is synchronized and renamed; then the
  /// directory is synchronized. On return the file has survived.
  ///
  /// - Parameters:
  ///   - bytes: all of the file.
  ///   - path: its directory must be there.
  ///   - permissions: of the new file, less what the process's mask takes away.
  /// - Throws: ``NumericsError`` (`file-system`) with the path and what the system said; the old file is
  ///   then as it was.
  package static func write(
    _ bytes: UnsafeRawBufferPointer, to path: String, permissions: UInt16 = 0o666
  ) throws(NumericsError) {
    try write(pieces: [bytes], to: path, permissions: permissions)
  }

  package static func write(
    _ bytes: [UInt8], to path: String, permissions: UInt16 = 0o666
  ) throws(NumericsError) {
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(NumericsError) in
        try write(pieces: [bytes], to: path, permissions: permissions)
      }
    }
    try result.get()
  }

  /// Writes these pieces one after the other, as one file.
  package static func write(
    pieces: [UnsafeRawBufferPointer], to path: String, permissions: UInt16 = 0o666
  ) throws(NumericsError) {
    let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
    let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
    let suffix = String(UInt64.random(in: .min ... .max), radix: 36)
    let temporary = "\(directory).\(name.prefix(100)).\(suffix).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(permissions))
    guard descriptor >= 0 else { throw .system("create", path) }
    do throws(NumericsError) {
      do throws(NumericsError) {
        for piece in pieces { try writeAll(piece, to: descriptor, path) }
        if fsync(descriptor) != 0 { throw .system("write", path) }
      } catch {
        _ = close(descriptor)
        throw error
      }
      if close(descriptor) != 0 { throw .system("write", path) }
      if rename(temporary, path) != 0 { throw .system("replace", path) }
    } catch {
      _ = unlink(temporary)
      throw error
    }
    try synchronize(directory: directory)
  }

  /// Makes what was created, renamed or removed in a directory survive.
  package static func synchronize(directory: String) throws(NumericsError) {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", directory) }
    let status = fsync(descriptor)
    let error = errno
    _ = close(descriptor)
    // Some file systems cannot synchronize a directory, and say so with EINVAL; it is then done for us.
    if status != 0 && error != EINVAL { throw .system("synchronize", directory, error) }
  }

  private static func writeAll(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String
  ) throws(NumericsError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // Pieces, because Linux writes no more than 2 GB at once.
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      #if canImport(Darwin)
        let count = Darwin.write(descriptor, part.baseAddress, part.count)
      #elseif canImport(Musl)
        let count = Musl.write(descriptor, part.baseAddress, part.count)
      #else
        let count = Glibc.write(descriptor, part.baseAddress, part.count)
      #endif
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw .system("write", path) }
      rest = rest.dropFirst(count)
    }
  }
}

extension NumericsError {
  /// What the system says of its last failure, for example that there is no space left.
  static func system(_ verb: String, _ path: String, _ number: Int32 = errno) -> NumericsError {
    NumericsError(.fileSystem, "Cannot \(verb) \(path): \(String(cString: strerror(number))).")
  }
}
