// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Bytes on their way out, gathered so that the system is asked once for many of them.
///
/// One for a loop: a connection fills it and empties it before another one gets its turn.
final class OutputBuffer {
  private let storage: UnsafeMutableRawBufferPointer
  private(set) var count = 0
  /// What did not fit; TLS may not be refused a record that it has begun.
  private var overflow: [UInt8] = []

  init(capacity: Int) { storage = .allocate(byteCount: capacity, alignment: 16) }

  deinit { storage.deallocate() }

  var isEmpty: Bool { count == 0 }

  func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, bytes.count > 0 else { return }
    if overflow.isEmpty, count + bytes.count <= storage.count {
      storage.baseAddress?.advanced(by: count).copyMemory(from: source, byteCount: bytes.count)
    } else {
      overflow.append(contentsOf: bytes)
    }
    count += bytes.count
  }

  /// Hands all bytes to `body` and is empty again.
  func drain(_ body: (UnsafeRawBufferPointer) -> Void) {
    guard count > 0 else { return }
    let inStorage = count - overflow.count
    body(UnsafeRawBufferPointer(rebasing: storage[..<inStorage]))
    if !overflow.isEmpty {
      overflow.withUnsafeBytes { body($0) }
      overflow = []
    }
    count = 0
  }
}
