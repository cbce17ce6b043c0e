// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Files of the state directory, read and written without more machinery than they need.
enum StateFile {
  /// All of a file; nil where it cannot be read or is longer than the limit.
  static func read(_ path: String, limit: Int) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let bytes = readAll(descriptor, limit: limit + 1)
    return bytes.count > limit ? nil : bytes
  }

  static func readAll(_ descriptor: Int32, limit: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: min(limit, 65_536))
    while bytes.count < limit {
      let count = buffer.withUnsafeMutableBytes { rawRead(descriptor, $0) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += buffer.prefix(count)
    }
    return bytes
  }

  /// Replaces a file, whole or not at all for a process that is killed; a power failure may undo it.
  static func replace(_ path: String, with bytes: [UInt8]) throws(EdgeError) {
    let temporary = path + ".new"
    _ = try write(bytes, to: temporary, flags: O_TRUNC)
    guard rename(temporary, path) == 0 else { throw failure("replace", path) }
  }

  /// Writes to the beginning of a file, which is cheaper than a new one.
  ///
  /// A process that is killed leaves a mixture, and what was longer stays so, for somebody may have it mapped:
  /// something else must tell what of it is right.
  static func overwrite(_ path: String, with bytes: UnsafeRawBufferPointer) throws(EdgeError) {
    _ = try write(bytes, to: path, flags: 0)
  }

  static func overwrite(_ path: String, with bytes: [UInt8]) throws(EdgeError) {
    _ = try write(bytes, to: path, flags: 0)
  }

  /// Adds to the end of a file.
  ///
  /// - Returns: the file's length.
  static func append(_ bytes: [UInt8], to path: String) throws(EdgeError) -> Int {
    try write(bytes, to: path, flags: O_APPEND)
  }

  private static func write(
    _ bytes: [UInt8], to path: String, flags: Int32
  ) throws(EdgeError) -> Int {
    try bytes.withUnsafeBufferPointer { bytes throws(EdgeError) in
      try write(UnsafeRawBufferPointer(bytes), to: path, flags: flags)
    }
  }

  /// - Returns: where the file ends, which is behind what was written.
  private static func write(
    _ bytes: UnsafeRawBufferPointer, to path: String, flags: Int32
  ) throws(EdgeError) -> Int {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0o600)
    guard descriptor >= 0 else { throw failure("create", path) }
    defer { close(descriptor) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rawWrite(descriptor, UnsafeRawBufferPointer(rebasing: rest))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("write", path) }
      rest = rest.dropFirst(count)
    }
    return Int(lseek(descriptor, 0, SEEK_CUR))
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func remove(_ path: String) { _ = unlink(path) }

  static func makeDirectory(_ path: String) throws(EdgeError) {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += made.isEmpty || made.hasSuffix("/") ? part : "/" + part
      if mkdir(made, 0o700) != 0, errno != EEXIST { throw failure("make", made) }
    }
  }

  /// The files of a directory that are not hidden, sorted; none where it cannot be listed.
  static func names(in directory: String) -> [String] {
    guard let list = opendir(directory) else { return [] }
    defer { closedir(list) }
    var names: [String] = []
    while let entry = readdir(list) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  static func failure(_ verb: String, _ path: String) -> EdgeError {
    EdgeError(.fileSystem, "Cannot \(verb) \(path): \(String(cString: strerror(errno))).")
  }

  static func rawRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.read(descriptor, bytes.baseAddress, bytes.count)
    #elseif canImport(Musl)
      Musl.read(descriptor, bytes.baseAddress, bytes.count)
    #else
      Darwin.read(descriptor, bytes.baseAddress, bytes.count)
    #endif
  }

  static func rawWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    #elseif canImport(Musl)
      Musl.write(descriptor, bytes.baseAddress, bytes.count)
    #else
      Darwin.write(descriptor, bytes.baseAddress, bytes.count)
    #endif
  }
}

/// What lets two processes agree on how much time has passed.
enum SystemClock {
  /// Since the machine started, sleep included; nil where the system does not tell.
  static var uptime: Duration? {
    SystemRoot().text("/proc/uptime")?.split(separator: " ").first.flatMap { Double($0) }
      .map { .milliseconds(Int64($0 * 1000)) }
  }

  /// Which start of the machine this is; nil where the system does not tell.
  static var boot: String? { SystemRoot().text("/proc/sys/kernel/random/boot_id") }
}

extension SystemClock {
  /// By the system's calendar clock, which may be wrong: for people only.
  static var secondsSince1970: Int64 { Int64(time(nil)) }
}
