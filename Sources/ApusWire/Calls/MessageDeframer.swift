// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Takes messages out of a stream of bytes, in which each has five bytes before it: a flag, and its length.
///
/// Bytes may be split anywhere. A message's memory grows with what has come and not with what was announced.
struct MessageDeframer: Sendable {
  static let prefixSize = 5
  /// Bytes of a message after which room is made for all of it, where before it grows by doubling.
  private static let earnest = 32 << 10

  private let limit: Int
  private var prefix: UInt64 = 0
  private var prefixCount = 0
  private var message: [UInt8] = []
  /// How many bytes of the message are still to come; nil between messages.
  private var missing: Int?

  init(limit: Int) { self.limit = limit }

  /// The length of the message that is under way; nil between messages.
  var announcedLength: Int? { missing.map { $0 + message.count } }

  /// Whether nothing of a message is there that has not wholly come.
  var isBetweenMessages: Bool { missing == nil && prefixCount == 0 }

  /// Takes bytes; gives every message that they complete to `body`.
  ///
  /// - Throws: `resourceExhausted` for a message that is too long, before any of it is kept; `internal` for a
  ///   flag that says it is compressed, which was not agreed on.
  /// - Complexity: O(bytes), amortized, however they are split.
  mutating func receive(
    _ bytes: UnsafeRawBufferPointer, _ body: ([UInt8]) -> Void
  ) throws(RPCError) {
    var rest = bytes[...]
    while true {
      if let missing {
        let part = rest.prefix(missing)
        // Who has sent so much will send the rest. Of room that is not written to, the system gives no more than addresses.
        if message.count + part.count >= Self.earnest {
          message.reserveCapacity(message.count + missing)
        }
        // Whole, and not byte by byte.
        message.append(contentsOf: UnsafeRawBufferPointer(rebasing: part))
        rest = rest.dropFirst(part.count)
        self.missing = missing - part.count
        guard self.missing == 0 else { return }
        body(message)
        message = []
        self.missing = nil
      }
      while prefixCount < Self.prefixSize, let byte = rest.popFirst() {
        prefix = prefix << 8 | UInt64(byte)
        prefixCount += 1
      }
      guard prefixCount == Self.prefixSize else { return }
      try beginMessage()
    }
  }

  private mutating func beginMessage() throws(RPCError) {
    let (flag, length) = (prefix >> 32, Int(prefix & 0xffff_ffff))
    guard flag == 0 else {
      throw RPCError(
        .internal, "a message is compressed, which grpc-encoding did not say; send it as it is",
        reason: "compressed")
    }
    guard length <= limit else {
      throw RPCError(
        .resourceExhausted, "a message has \(length) bytes; at most \(limit) are allowed",
        reason: "message-too-long")
    }
    (prefix, prefixCount, missing) = (0, 0, length)
  }

  /// What goes before a message.
  ///
  /// - Precondition: the length fits 32 bits.
  static func prefix(of message: [UInt8]) -> [UInt8] {
    precondition(message.count <= Int(UInt32.max), "a message has at most 4 GiB; split it")
    let length = UInt32(message.count).bigEndian
    return [UInt8](unsafeUninitializedCapacity: prefixSize) { buffer, count in
      buffer[0] = 0
      UnsafeMutableRawBufferPointer(buffer).storeBytes(of: length, toByteOffset: 1, as: UInt32.self)
      count = prefixSize
    }
  }

  /// The steps that send a message: its prefix, and itself, not copied.
  static func steps(sending message: [UInt8]) -> [CallStep] {
    let prefix = CallStep.data(prefix(of: message), isLast: false)
    return message.isEmpty ? [prefix] : [prefix, .data(message, isLast: false)]
  }
}
