// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A blob's bytes, mapped into memory: they take room only where they are read.
///
/// The memory stays as long as this does, the bytes as long as the blob is not removed: then its file may serve
/// another of the same size. What is in use is referenced and not removed; who downloads has the chunks' digests.
package final class MappedBlob: @unchecked Sendable {
  // Sendable: nobody writes to a blob's file as long as it has its name.

  /// Good as long as the object is kept; ``withBytes(_:)`` keeps it.
  package let bytes: UnsafeRawBufferPointer

  /// - Parameters:
  ///   - path: of its file.
  ///   - isReadWhole: whether all of it is about to be read: one call then maps what would take a fault for every
  ///     64 KB.
  /// - Throws: `not-found`, `file-system`.
  package init(_ path: String, isReadWhole: Bool = false) throws(AggregatorError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      if errno == ENOENT { throw AggregatorError(.notFound, "There is no such blob.") }
      throw .system("open", path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system("look at", path) }
    guard status.st_size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let size = Int(status.st_size)
    #if os(Linux)
      let flags = isReadWhole ? MAP_SHARED | MAP_POPULATE : MAP_SHARED
    #else
      let flags = MAP_SHARED
    #endif
    guard let start = mmap(nil, size, PROT_READ, flags, descriptor, 0), start != MAP_FAILED
    else { throw .system("map", path) }
    bytes = UnsafeRawBufferPointer(start: start, count: size)
  }

  deinit {
    if let start = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }

  /// Bytes in all.
  package var count: Int { bytes.count }

  /// Lends the bytes.
  package func withBytes<Value, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    defer { withExtendedLifetime(self) {} }
    return try body(bytes)
  }

  /// Whether the bytes are those of a manifest.
  ///
  /// - Complexity: O(bytes).
  package func verifies(_ manifest: BlobManifest) -> Bool {
    withBytes { bytes in
      UInt64(bytes.count) == manifest.size
        && (0..<manifest.chunkCount).allSatisfy { index in
          let range = manifest.range(ofChunk: index)
          let chunk = bytes[Int(range.lowerBound)..<Int(range.upperBound)]
          return manifest.verifies(UnsafeRawBufferPointer(rebasing: chunk), asChunk: index)
        }
    }
  }
}
