// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The bytes of a file, mapped into memory, or inflated into it when the file is a gzip file.
public struct FileContents: Sendable {
  /// How much a gzip file may inflate to where its format does not tell: 1 GiB.
  public static let inflationLimit = 1 << 30

  /// What messages call the file: its path.
  public let name: String
  /// The bytes, inflated.
  public let region: ByteRegion

  /// Bytes that are in memory already.
  public init(_ bytes: some Collection<UInt8>, name: String) {
    self.name = name
    region = ByteRegion(count: bytes.count) { _ = $0.initialize(from: bytes) }
  }

  init(region: ByteRegion, name: String) {
    self.name = name
    self.region = region
  }

  /// All of a file.
  ///
  /// A file that is not compressed is mapped: it must not be made shorter while it is in use.
  /// - Parameters:
  ///   - path: of a regular file, compressed by gzip or not.
  ///   - limit: how many bytes it may inflate to.
  /// - Throws: `missing-file`, `file-system`, `corrupt-gzip`, `too-large`.
  public init(of path: String, limit: Int = FileContents.inflationLimit) throws(DataError) {
    self = try FileContents(stored: path).inflated(limit: limit)
  }

  /// The file as it is stored, inflated or not.
  init(stored path: String) throws(DataError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR {
        throw DataError(.missingFile, file: path, "there is no such file. Check the path.")
      }
      throw Self.refused("open", path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.refused("look at", path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw DataError(.fileSystem, file: path, "is not a regular file; expected one with data.")
    }
    name = path
    let length = Int(status.st_size)
    if let mapped = ByteRegion(mapping: descriptor, fileLength: length, range: 0..<length) {
      region = mapped
    } else {
      region = try ByteRegion(count: length) { (bytes) throws(DataError) in
        try Self.read(descriptor, into: bytes, path: path)
      }
    }
  }

  /// These bytes if they are not compressed, and what they inflate to if they are.
  ///
  /// - Throws: `corrupt-gzip`, `too-large`.
  public func inflated(limit: Int = FileContents.inflationLimit) throws(DataError) -> FileContents {
    guard isCompressed else { return self }
    let inflated = try Gzip.inflate(region.bytes, name: name, limit: limit)
    return FileContents(region: inflated, name: name)
  }

  var isCompressed: Bool { Gzip.isCompressed(region.bytes) }

  /// The SHA-256 of the bytes (of what a gzip file inflates to), in hexadecimal digits.
  public var digest: String { SHA256.hexDigest(of: UnsafeRawBufferPointer(region.bytes)) }

  private static func read(
    _ descriptor: Int32, into bytes: UnsafeMutableBufferPointer<UInt8>, path: String
  ) throws(DataError) {
    var done = 0
    while done < bytes.count, let base = bytes.baseAddress {
      #if canImport(Glibc)
        let count = Glibc.read(descriptor, base + done, bytes.count - done)
      #elseif canImport(Musl)
        let count = Musl.read(descriptor, base + done, bytes.count - done)
      #else
        let count = Darwin.read(descriptor, base + done, bytes.count - done)
      #endif
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw refused("read", path) }
      done += count
    }
  }

  private static func refused(_ verb: String, _ path: String) -> DataError {
    DataError(
      .fileSystem, file: path,
      "the system refused to \(verb) it: \(String(cString: strerror(errno))).")
  }
}
