// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Bytes that nobody writes to any more: memory of our own, or a file mapped into memory.
public final class ByteRegion: @unchecked Sendable {
  // Sendable: the memory is written only before the region is made, and freed only when nobody has
  // it.
  private enum Owner {
    case allocation(UnsafeMutableRawPointer)
    case mapping(UnsafeMutableRawPointer, length: Int)
    case part(of: ByteRegion)
  }

  private let owner: Owner
  /// The bytes, which stay as long as the region does: whoever uses them must keep it, as a caller
  /// keeps its arguments; ``withBytes(_:)`` does so by itself.
  package let bytes: UnsafeBufferPointer<UInt8>
  /// How many bytes there are.
  public var count: Int { bytes.count }

  /// Memory of our own, which `fill` writes before anybody reads it.
  ///
  /// - Allocates: `count` bytes.
  public init<Failure: Error>(
    count: Int, _ fill: (UnsafeMutableBufferPointer<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 64)
    let first = memory.bindMemory(to: UInt8.self, capacity: count)
    do {
      try fill(UnsafeMutableBufferPointer(start: first, count: count))
    } catch {
      memory.deallocate()
      throw error
    }
    owner = .allocation(memory)
    bytes = UnsafeBufferPointer(start: first, count: count)
  }

  /// Memory from `UnsafeMutableRawPointer.allocate`, which the region frees.
  init(adopting memory: UnsafeMutableRawPointer, count: Int) {
    owner = .allocation(memory)
    bytes = UnsafeBufferPointer(start: memory.assumingMemoryBound(to: UInt8.self), count: count)
  }

  /// Some of another region's bytes, which stay where they are.
  ///
  /// - Precondition: `range` is within `0..<whole.count`.
  package init(part range: Range<Int>, of whole: ByteRegion) {
    owner = .part(of: whole)
    bytes = UnsafeBufferPointer(rebasing: whole.bytes[range])
  }

  /// Part of a file, mapped for reading; nil where the system cannot map it.
  ///
  /// - Parameters:
  ///   - descriptor: the open file.
  ///   - fileLength: its length in bytes.
  ///   - range: within the file's length, checked by the caller.
  init?(mapping descriptor: Int32, fileLength: Int, range: Range<Int>) {
    guard fileLength > 0,
      let base = mmap(nil, fileLength, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else { return nil }
    owner = .mapping(base, length: fileLength)
    bytes = UnsafeBufferPointer(
      start: (base + range.lowerBound).assumingMemoryBound(to: UInt8.self), count: range.count)
  }

  /// Lends the bytes.
  public func withBytes<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(bytes)
  }

  deinit {
    switch owner {
    case .allocation(let memory): memory.deallocate()
    case .mapping(let base, let length): munmap(base, length)
    case .part: break
    }
  }
}
