// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The messages of `protocols/`, as Swift values; made by `scripts/protocols`.
///
/// Numbers are 0, strings and arrays empty, messages nil where nothing was said, as proto3 has it.
package enum Proto {}

/// A value that travels.
package protocol WireMessage: Sendable {
  /// With nothing said.
  init()

  /// As protobuf; the same bytes for equal values.
  ///
  /// A string ends at its first NUL, as in C.
  ///
  /// - Complexity: O(size).
  func encoded() -> [UInt8]

  /// Reads protobuf; what it does not know is skipped.
  ///
  /// - Throws: `malformed` where the bytes are truncated or not of this message; `beyond-limit` where they are
  ///   deeper or have more elements than `MessageScan` allows, before anything of their size is allocated.
  init(decoding bytes: UnsafeRawBufferPointer) throws(WireError)
}

extension WireMessage {
  /// With what `body` says: `Proto.TaskRef { $0.task = "digits" }`.
  package init(_ body: (inout Self) throws -> Void) rethrows {
    self.init()
    try body(&self)
  }

  /// Reads protobuf; see `init(decoding:)` of a raw buffer.
  package init(decoding bytes: [UInt8]) throws(WireError) {
    self = try bytes.withUnsafeBufferPointer { buffer throws(WireError) in
      try Self(decoding: UnsafeRawBufferPointer(buffer))
    }
  }
}
