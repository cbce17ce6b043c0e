// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusWire

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Plans and models that the device has, in files named by digest; those used longest ago go first.
///
/// A file is `DIGEST` once it is whole, `DIGEST.part` while it comes. Nothing is believed because it is there:
/// every chunk is verified again when a blob is opened.
struct BlobCache: Sendable {
  let path: String
  /// Bytes, of whole files and parts.
  let limit: Int

  func file(_ digest: BlobDigest) -> String { "\(path)/\(digest)" }
  func part(_ digest: BlobDigest) -> String { "\(path)/\(digest).part" }

  /// A blob's bytes, mapped and verified; nil where it is not there, and where what is there is not it.
  ///
  /// - Parameters:
  ///   - manifest: whose blob.
  ///   - isVerified: where this process has just written it, chunk by chunk verified.
  /// - Returns: the file; nil as said.
  func open(_ manifest: BlobManifest, isVerified: Bool = false) -> MappedFile? {
    let name = file(manifest.digest)
    guard let mapped = MappedFile(name), UInt64(mapped.bytes.count) == manifest.size else {
      return nil
    }
    if isVerified { return mapped }
    for chunk in 0..<manifest.chunkCount {
      guard manifest.verifies(mapped[manifest.range(ofChunk: chunk)], asChunk: chunk) else {
        StateFile.remove(name)
        return nil
      }
    }
    // Its time says when it was used.
    utimes(name, nil)
    return mapped
  }

  /// The blobs that are whole, those used last first.
  func digests() -> [BlobDigest] { entries().reversed().compactMap { BlobDigest(hex: $0.name) } }

  /// Bytes of all files.
  func byteCount() -> Int { entries().reduce(0) { $0 + $1.size } }

  /// Makes room: removes what was used longest ago, but for what is needed now.
  func evict(keeping digests: Set<BlobDigest>, makingRoomFor size: Int) {
    let kept = Set(digests.map(\.description))
    let entries = entries()
    var total = entries.reduce(size) { $0 + $1.size }
    for entry in entries where total > limit {
      let digest = entry.name.hasSuffix(".part") ? String(entry.name.dropLast(5)) : entry.name
      guard !kept.contains(digest) else { continue }
      StateFile.remove("\(path)/\(entry.name)")
      total -= entry.size
    }
  }

  /// Makes the file of a blob that was used long ago the part that a download begins with, to be written over: a model
  /// follows a model of its size each round, and a file that is there costs a tenth of a new one.
  ///
  /// - Parameters:
  ///   - manifest: what comes now.
  ///   - digests: what is needed now.
  /// - Returns: whether there is such a part; nothing in it is right.
  func recycle(for manifest: BlobManifest, keeping digests: Set<BlobDigest>) -> Bool {
    let kept = Set(digests.map(\.description))
    let alike = entries().filter {
      $0.size == Int(manifest.size) && $0.name.count == 64 && !kept.contains($0.name)
    }
    // The last ones may still be asked for, or read by training that was called off.
    guard alike.count > Self.spared else { return false }
    return rename("\(path)/\(alike[0].name)", part(manifest.digest)) == 0
  }

  /// Files of a size that are not written over.
  private static let spared = 2

  /// Oldest first.
  private func entries() -> [(name: String, size: Int, time: Double)] {
    StateFile.names(in: path).compactMap { name in
      var status = stat()
      guard stat("\(path)/\(name)", &status) == 0 else { return nil }
      #if os(Linux)
        // Two words, seconds and nanoseconds; their names belong to a module that cannot be imported.
        let time = withUnsafeBytes(of: status.st_mtim) { bytes in
          Double(bytes.load(as: Int.self)) + Double(bytes.load(fromByteOffset: 8, as: Int.self))
            * 1e-9
        }
      #else
        let time = Double(status.st_mtimespec.tv_sec)
      #endif
      return (name, Int(status.st_size), time)
    }.sorted { ($0.time, $0.name) < ($1.time, $1.name) }
  }
}

/// A file mapped for reading.
final class MappedFile: @unchecked Sendable {
  // Sendable: nobody writes to the memory, and it is unmapped only when nobody has it.
  let bytes: UnsafeRawBufferPointer

  /// Nil where it cannot be mapped.
  init?(_ path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    let count = Int(status.st_size)
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else { return nil }
    bytes = UnsafeRawBufferPointer(start: base, count: count)
  }

  /// Of the bytes at the beginning; nil where there are fewer.
  func manifest(ofFirst count: Int) -> BlobManifest? {
    guard count >= 0, count <= bytes.count else { return nil }
    return BlobManifest(of: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
  }

  /// Some of the bytes.
  ///
  /// - Precondition: there are so many.
  subscript(range: Range<UInt64>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[Int(range.lowerBound)..<Int(range.upperBound)])
  }

  deinit {
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
  }
}
