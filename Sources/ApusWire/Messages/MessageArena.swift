// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusProtocols
internal import CProtobufC

/// Where the C structs of one message live until it is packed; all end with the arena.
///
/// Not shared: it is made, filled and dropped by one call of `packed()`.
final class MessageArena {
  private static let blockSize = 4096

  private var blocks: [UnsafeMutableRawPointer] = []
  private var free: UnsafeMutableRawPointer?
  private var freeCount = 0

  deinit {
    for block in blocks { block.deallocate() }
  }

  func allocate<T>(_ type: T.Type, _ count: Int = 1) -> UnsafeMutablePointer<T> {
    // Every type here is aligned to 16 bytes or less, and so is every block.
    let size = (count * MemoryLayout<T>.stride + 15) & ~15
    if size > freeCount || free == nil {
      let block = UnsafeMutableRawPointer.allocate(
        byteCount: max(size, Self.blockSize), alignment: 16)
      blocks.append(block)
      free = block
      freeCount = max(size, Self.blockSize)
    }
    // There is a block with room now.
    let start = free.unsafelyUnwrapped
    free = start + size
    freeCount -= size
    return start.bindMemory(to: T.self, capacity: count)
  }

  func string(_ value: String) -> UnsafeMutablePointer<CChar> {
    var value = value
    return value.withUTF8 { bytes in
      let copy = allocate(CChar.self, bytes.count + 1)
      UnsafeMutableRawBufferPointer(start: copy, count: bytes.count).copyBytes(from: bytes)
      copy[bytes.count] = 0
      return copy
    }
  }

  func bytes(_ value: [UInt8]) -> ProtobufCBinaryData {
    var data = ProtobufCBinaryData()
    guard !value.isEmpty else { return data }
    data.len = value.count
    data.data = allocate(UInt8.self, value.count)
    UnsafeMutableRawBufferPointer(start: data.data, count: value.count).copyBytes(from: value)
    return data
  }

  func message<M: CMessage>(_ value: M) -> UnsafeMutablePointer<M.C> {
    let message = allocate(M.C.self)
    M.initialize(message)
    value.fill(message, self)
    return message
  }

  func messages<M: CMessage>(
    _ values: [M]
  ) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<M.C>?>?) {
    list(values) { message($0) }
  }

  func strings(_ values: [String]) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) {
    list(values) { string($0) }
  }

  func blobs(_ values: [[UInt8]]) -> (Int, UnsafeMutablePointer<ProtobufCBinaryData>?) {
    list(values) { bytes($0) }
  }

  func numbers<Number>(_ values: [Number]) -> (Int, UnsafeMutablePointer<Number>?) {
    list(values) { $0 }
  }

  /// The entries of a map, keys rising byte by byte, so that equal maps are equal bytes in every language.
  func entries<Entry, Value>(
    _ values: [String: Value], _ initialize: (UnsafeMutablePointer<Entry>?) -> Void,
    _ fill: (UnsafeMutablePointer<Entry>, (key: String, value: Value)) -> Void
  ) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>?) {
    list(values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) { pair in
      let entry = allocate(Entry.self)
      initialize(entry)
      fill(entry, (pair.key, pair.value))
      return entry
    }
  }

  private func list<Value, Element>(
    _ values: [Value], _ element: (Value) -> Element
  ) -> (Int, UnsafeMutablePointer<Element>?) {
    guard !values.isEmpty else { return (0, nil) }
    let elements = allocate(Element.self, values.count)
    for (index, value) in values.enumerated() {
      (elements + index).initialize(to: element(value))
    }
    return (values.count, elements)
  }
}
