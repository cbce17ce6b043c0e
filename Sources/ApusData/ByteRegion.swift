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
  // Sendable: the memory is written only before the region is made, and freed only when nobody has it.
  private enum Owner {
    case allocation(UnsafeMutableRawPointer)
    case mapping(UnsafeMutableRawPointer, length: Int)
  }

  private let owner: Owner
  public let bytes: UnsafeBufferPointer<UInt8>
  public var count: Int { bytes.count }

  /// - Allocates: `count` bytes, which `fill` writes.
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

  deinit {
    switch owner {
    case .allocation(let memory): memory.deallocate()
    case .mapping(let base, let length): munmap(base, length)
    }
  }
}
