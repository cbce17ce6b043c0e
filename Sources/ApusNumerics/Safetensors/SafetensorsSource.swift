// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where the bytes of a safetensors file come from: memory, or an open file.
///
/// Not a mapping: a mapped file that somebody shortens kills the process.
final class SafetensorsSource: Sendable {
  private enum Origin: Sendable {
    case memory([UInt8])
    case file(descriptor: Int32)
  }

  private let origin: Origin
  /// What messages call it.
  let name: String
  /// In bytes.
  let count: Int

  init(bytes: [UInt8]) {
    origin = .memory(bytes)
    name = "safetensors in memory"
    count = bytes.count
  }

  init(path: String) throws(NumericsError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      _ = close(descriptor)
      throw NumericsError(.fileSystem, "Cannot read \(path): it is not a file.")
    }
    origin = .file(descriptor: descriptor)
    name = path
    count = Int(status.st_size)
  }

  deinit {
    if case .file(let descriptor) = origin { _ = close(descriptor) }
  }

  /// Calls `body` with a part of the bytes.
  ///
  /// - Precondition: the part is in the ``count`` bytes.
  func read(
    at offset: Int, count: Int, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(NumericsError) {
    switch origin {
    case .memory(let bytes):
      bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count])) }
    case .file(let descriptor):
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
      defer { buffer.deallocate() }
      var done = 0
      while done < count {
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
        let got = pread(descriptor, part.baseAddress, part.count, off_t(offset + done))
        if got < 0 && errno == EINTR { continue }
        if got < 0 { throw .system("read", name) }
        if got == 0 { throw malformed("the file became shorter while it was read") }
        done += got
      }
      body(UnsafeRawBufferPointer(buffer))
    }
  }

  func malformed(_ problem: String) -> NumericsError {
    NumericsError(.malformed, "\(name): \(problem).")
  }

  func mismatch(_ problem: String) -> NumericsError {
    NumericsError(.layoutMismatch, "\(name) does not fit: \(problem).")
  }

  func missing(_ tensor: String, in tensors: [Safetensors.Tensor]) -> NumericsError {
    let shown = tensors.prefix(5).map(\.name).joined(separator: ", ")
    return mismatch(
      "there is no \"\(tensor)\" in it, only \(shown)\(tensors.count > 5 ? ", …" : "")")
  }

  /// The same error with the file's name before it.
  func naming(_ error: NumericsError) -> NumericsError {
    NumericsError(error.code, "\(name): \(error.message)", cause: error.cause)
  }
}
