// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// Made from protocols/google/rpc/status.proto by scripts/protocols; not to be edited.
// swift-format-ignore-file

internal import ApusProtocols

extension Proto {
  package struct Status: Hashable, Sendable {
    package var code: Int32 = 0
    package var message: String = ""
    package var details: [Proto.Detail] = []

    package init() {}
  }
}

extension Proto {
  /// google.protobuf.Any.
  package struct Detail: Hashable, Sendable {
    /// For example type.googleapis.com/google.rpc.RetryInfo.
    package var typeUrl: String = ""
    package var value: [UInt8] = []

    package init() {}
  }
}

extension Proto {
  /// google.protobuf.Duration.
  package struct Delay: Hashable, Sendable {
    package var seconds: Int64 = 0
    package var nanos: Int32 = 0

    package init() {}
  }
}

extension Proto {
  package struct RetryInfo: Hashable, Sendable {
    package var retryDelay: Proto.Delay? = nil

    package init() {}
  }
}

extension Proto {
  package struct ErrorInfo: Hashable, Sendable {
    /// A code, for example stale-epoch.
    package var reason: String = ""
    /// apus
    package var domain: String = ""
    package var metadata: [String: String] = [:]

    package init() {}
  }
}

extension Proto.Status: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Google__Rpc__Status>) { google__rpc__status__init(c) }

  func fill(_ c: UnsafeMutablePointer<Google__Rpc__Status>, _ arena: MessageArena) {
    c.pointee.code = code
    c.pointee.message = arena.string(message)
    (c.pointee.n_details, c.pointee.details) = arena.messages(details)
  }

  init(copying c: UnsafePointer<Google__Rpc__Status>) throws(WireError) {
    code = c.pointee.code
    message = try copied(string: c.pointee.message)
    details = try copied(messages: c.pointee.n_details, c.pointee.details)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Detail: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Google__Rpc__Detail>) { google__rpc__detail__init(c) }

  func fill(_ c: UnsafeMutablePointer<Google__Rpc__Detail>, _ arena: MessageArena) {
    c.pointee.type_url = arena.string(typeUrl)
    c.pointee.value = arena.bytes(value)
  }

  init(copying c: UnsafePointer<Google__Rpc__Detail>) throws(WireError) {
    typeUrl = try copied(string: c.pointee.type_url)
    value = copied(bytes: c.pointee.value)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Delay: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Google__Rpc__Delay>) { google__rpc__delay__init(c) }

  func fill(_ c: UnsafeMutablePointer<Google__Rpc__Delay>, _ arena: MessageArena) {
    c.pointee.seconds = seconds
    c.pointee.nanos = nanos
  }

  init(copying c: UnsafePointer<Google__Rpc__Delay>) throws(WireError) {
    seconds = c.pointee.seconds
    nanos = c.pointee.nanos
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.RetryInfo: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Google__Rpc__RetryInfo>) { google__rpc__retry_info__init(c) }

  func fill(_ c: UnsafeMutablePointer<Google__Rpc__RetryInfo>, _ arena: MessageArena) {
    if let value = retryDelay {
      c.pointee.retry_delay = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Google__Rpc__RetryInfo>) throws(WireError) {
    retryDelay = try copied(message: c.pointee.retry_delay)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.ErrorInfo: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Google__Rpc__ErrorInfo>) { google__rpc__error_info__init(c) }

  func fill(_ c: UnsafeMutablePointer<Google__Rpc__ErrorInfo>, _ arena: MessageArena) {
    c.pointee.reason = arena.string(reason)
    c.pointee.domain = arena.string(domain)
    (c.pointee.n_metadata, c.pointee.metadata) = arena.entries(
      metadata, google__rpc__error_info__metadata_entry__init) { (c: UnsafeMutablePointer<Google__Rpc__ErrorInfo__MetadataEntry>, pair) in
      c.pointee.key = arena.string(pair.key)
      c.pointee.value = arena.string(pair.value)
    }
  }

  init(copying c: UnsafePointer<Google__Rpc__ErrorInfo>) throws(WireError) {
    reason = try copied(string: c.pointee.reason)
    domain = try copied(string: c.pointee.domain)
    metadata = try copied(c.pointee.n_metadata, c.pointee.metadata) { (e) throws(WireError) in (try copied(string: e.pointee.key), try copied(string: e.pointee.value)) }
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}
