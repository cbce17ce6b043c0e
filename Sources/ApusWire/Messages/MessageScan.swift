// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusProtocols
internal import CProtobufC

/// Looks through the bytes of a message before protobuf-c reads them.
///
/// protobuf-c calls itself for every message within a message, however deep, and keeps a struct for two bytes of
/// input; it cuts strings at a NUL. Here bytes that would make it do so are refused, without allocating anything.
struct MessageScan {
  /// How deep messages may lie within each other: a task's plan with the deepest schedule takes 24.
  static let depthLimit = 40
  /// How many elements of arrays of messages, strings and bytes, and unknown fields, a message may have in all.
  static let elementLimit = 1 << 18

  private var elementCount = 0

  static func check(
    _ bytes: UnsafeRawBufferPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>
  ) throws(WireError) {
    var scan = MessageScan()
    try scan.message(bytes, descriptor, depth: 1)
  }

  private mutating func message(
    _ bytes: UnsafeRawBufferPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
    depth: Int
  ) throws(WireError) {
    guard depth <= Self.depthLimit else {
      throw WireError(.beyondLimit, "messages lie more than \(Self.depthLimit) deep in each other")
    }
    var reader = FieldReader(bytes)
    while let field = try reader.next() {
      let known = Self.field(field.number, of: descriptor)
      let isRepeated = known.map { $0.pointee.label == PROTOBUF_C_LABEL_REPEATED } ?? true
      if isRepeated {
        elementCount += 1
        guard elementCount <= Self.elementLimit else {
          throw WireError(.beyondLimit, "a message has more than \(Self.elementLimit) elements")
        }
      }
      guard let known, case .bytes(let content) = field.value else { continue }
      switch known.pointee.type {
      case PROTOBUF_C_TYPE_MESSAGE:
        // Descriptors of fields are untyped in C because they may be of enums too.
        let inner = known.pointee.descriptor.assumingMemoryBound(
          to: ProtobufCMessageDescriptor.self)
        try message(content, inner, depth: depth + 1)
      case PROTOBUF_C_TYPE_STRING where content.contains(0):
        throw WireError(.malformed, "a string of a message has a NUL in it")
      default: break
      }
    }
  }

  private static func field(
    _ number: UInt32, of descriptor: UnsafePointer<ProtobufCMessageDescriptor>
  ) -> UnsafePointer<ProtobufCFieldDescriptor>? {
    let fields = UnsafeBufferPointer(
      start: descriptor.pointee.fields, count: Int(descriptor.pointee.n_fields))
    // Numbers rise and mostly have no gaps.
    let guess = Int(number) - 1
    if fields.indices.contains(guess), fields[guess].id == number, let start = fields.baseAddress {
      return start + guess
    }
    guard let index = fields.firstIndex(where: { $0.id == number }) else { return nil }
    return fields.baseAddress.map { $0 + index }
  }
}
