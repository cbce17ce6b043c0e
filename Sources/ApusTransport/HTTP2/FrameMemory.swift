// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CNghttp2
internal import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory for nghttp2, whose sessions keep a buffer for a frame of 16 KiB each, of which an idle connection uses a
/// hundred bytes.
///
/// Such buffers get pages of their own, so that what is never written takes no memory. All else is malloc's.
enum FrameMemory {
  /// Least and most bytes of what gets a place of its own.
  private static let sizes = (16 << 10)...(20 << 10)
  private static let place = 20 << 10
  private static let placeCount = 32_768

  private struct Places {
    /// Indices of places that were given back.
    var free: [Int32] = []
    /// How many were ever handed out.
    var used = 0
  }

  private static let places = Mutex(Places())

  /// Addresses for all places, without memory behind them; nil where the system has not even those.
  nonisolated(unsafe) private static let region: UnsafeMutableRawPointer? = {
    let count = place * placeCount
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | Int32(MAP_NORESERVE)
    guard let memory = mmap(nil, count, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED
    else { return nil }
    // Huge pages would make all of a place resident at its first write.
    madvise(memory, count, MADV_NOHUGEPAGE)
    return memory
  }()

  /// What nghttp2 is given; never changed.
  nonisolated(unsafe) static let table: UnsafeMutablePointer<nghttp2_mem> = {
    let table = UnsafeMutablePointer<nghttp2_mem>.allocate(capacity: 1)
    table.initialize(
      to: nghttp2_mem(
        mem_user_data: nil,
        malloc: { size, _ in FrameMemory.allocate(size) },
        free: { pointer, _ in FrameMemory.release(pointer) },
        calloc: { count, size, _ in calloc(count, size) },
        realloc: { pointer, size, _ in FrameMemory.reallocate(pointer, size) }))
    return table
  }()

  private static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
    guard sizes.contains(size), let region else { return malloc(size) }
    let index = places.withLock { places -> Int? in
      if let index = places.free.popLast() { return Int(index) }
      guard places.used < placeCount else { return nil }
      defer { places.used += 1 }
      return places.used
    }
    return index.map { region + $0 * place } ?? malloc(size)
  }

  /// Which place an address is; nil for malloc's.
  private static func index(of pointer: UnsafeMutableRawPointer) -> Int? {
    guard let region, pointer >= region, pointer < region + place * placeCount else { return nil }
    return (pointer - region) / place
  }

  private static func release(_ pointer: UnsafeMutableRawPointer?) {
    guard let pointer, let index = index(of: pointer) else { return free(pointer) }
    // Its pages go back to the system, not only to the list.
    madvise(pointer, place, MADV_DONTNEED)
    places.withLock { $0.free.append(Int32(index)) }
  }

  private static func reallocate(
    _ pointer: UnsafeMutableRawPointer?, _ size: Int
  ) -> UnsafeMutableRawPointer? {
    guard let pointer else { return allocate(size) }
    guard index(of: pointer) != nil else { return realloc(pointer, size) }
    guard size > place else { return pointer }
    guard let larger = malloc(size) else { return nil }
    larger.copyMemory(from: pointer, byteCount: place)
    release(pointer)
    return larger
  }
}
