// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusProtocols
internal import CProtobufC

/// A message that protobuf-c reads and writes as the struct `C`, which begins with a `ProtobufCMessage`.
protocol CMessage: WireMessage {
  associatedtype C

  /// Makes `c`, whose memory holds nothing, a message with nothing said.
  static func initialize(_ c: UnsafeMutablePointer<C>)

  /// Sets the fields of an initialized `c`; what it points to lives in `arena`.
  func fill(_ c: UnsafeMutablePointer<C>, _ arena: MessageArena)

  /// A value of its own with what `c` says.
  init(copying c: UnsafePointer<C>) throws(WireError)
}

extension CMessage {
  func packed() -> [UInt8] {
    let arena = MessageArena()
    let message = UnsafeRawPointer(arena.message(self)).assumingMemoryBound(
      to: ProtobufCMessage.self)
    return withExtendedLifetime(arena) {
      let size = protobuf_c_message_get_packed_size(message)
      return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        guard let start = buffer.baseAddress else { return }
        count = protobuf_c_message_pack(message, start)
      }
    }
  }

  static func unpacked(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> Self {
    let descriptor = Self.descriptor
    try MessageScan.check(bytes, descriptor)
    let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    guard
      let message = protobuf_c_message_unpack(descriptor, nil, bytes.count, start)
    else { throw WireError(.malformed, "a message cannot be read as \(Self.self)") }
    defer { protobuf_c_message_free_unpacked(message, nil) }
    return try Self(copying: UnsafeRawPointer(message).assumingMemoryBound(to: C.self))
  }

  /// What protobuf-c knows of the message.
  static var descriptor: UnsafePointer<ProtobufCMessageDescriptor> {
    withUnsafeTemporaryAllocation(of: C.self, capacity: 1) { room in
      // A temporary allocation of one element has an address.
      let start = UnsafeMutableRawPointer(room.baseAddress.unsafelyUnwrapped)
      initialize(start.assumingMemoryBound(to: C.self))
      return start.assumingMemoryBound(to: ProtobufCMessage.self).pointee.descriptor
    }
  }
}

// What the generated code reads C structs with.

func copied(string: UnsafeMutablePointer<CChar>?) throws(WireError) -> String {
  guard let string else { return "" }
  guard let copy = String(validatingCString: string) else {
    throw WireError(.malformed, "a string of a message is not UTF-8")
  }
  return copy
}

func copied(bytes: ProtobufCBinaryData) -> [UInt8] {
  [UInt8](UnsafeBufferPointer(start: bytes.data, count: bytes.len))
}

func copied<M: CMessage>(message: UnsafeMutablePointer<M.C>?) throws(WireError) -> M? {
  guard let message else { return nil }
  return try M(copying: message)
}

func copied<M: CMessage>(present message: UnsafeMutablePointer<M.C>?) throws(WireError) -> M {
  guard let message else { return M() }
  return try M(copying: message)
}

func copied<M: CMessage>(
  messages count: Int, _ start: UnsafeMutablePointer<UnsafeMutablePointer<M.C>?>?
) throws(WireError) -> [M] {
  var copies: [M] = []
  copies.reserveCapacity(count)
  for message in UnsafeBufferPointer(start: start, count: count) {
    copies.append(try copied(present: message))
  }
  return copies
}

func copied(
  strings count: Int, _ start: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) throws(WireError) -> [String] {
  var copies: [String] = []
  copies.reserveCapacity(count)
  for string in UnsafeBufferPointer(start: start, count: count) {
    copies.append(try copied(string: string))
  }
  return copies
}

func copied(blobs count: Int, _ start: UnsafeMutablePointer<ProtobufCBinaryData>?) -> [[UInt8]] {
  UnsafeBufferPointer(start: start, count: count).map { copied(bytes: $0) }
}

func copied<Number>(numbers count: Int, _ start: UnsafeMutablePointer<Number>?) -> [Number] {
  [Number](UnsafeBufferPointer(start: start, count: count))
}

/// Entries of a map; of several with one key, the last.
func copied<Entry, Value>(
  _ count: Int, _ start: UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>?,
  _ pair: (UnsafeMutablePointer<Entry>) throws(WireError) -> (String, Value)
) throws(WireError) -> [String: Value] {
  var copies: [String: Value] = [:]
  for entry in UnsafeBufferPointer(start: start, count: count) {
    guard let entry else { continue }
    let (key, value) = try pair(entry)
    copies[key] = value
  }
  return copies
}
