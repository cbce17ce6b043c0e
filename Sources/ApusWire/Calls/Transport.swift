// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// How calls travel, whatever they travel over: TLS and HTTP/2 (`ApusTransport`), or nothing (`InProcessTransport`).
// Messages are bytes here; `Method` says what they mean.

/// Names and values that travel with a call, names in lower case; values of names that end in `-bin` are
/// base64 on the wire and here.
public typealias Metadata = [(name: String, value: String)]

/// What is known of a call before its first message.
public struct CallHead: Sendable {
  /// For example `/apus.v1.Edge/CheckIn`.
  public var path: String
  public var metadata: Metadata
  /// How long the caller waits, from the moment the call came; nil for ever.
  public var timeout: Duration?
  /// Who calls.
  public var peer: Peer

  public init(path: String, metadata: Metadata = [], timeout: Duration? = nil, peer: Peer) {
    self.path = path
    self.metadata = metadata
    self.timeout = timeout
    self.peer = peer
  }
}

/// A call as the server has it.
///
/// The task that handles it is cancelled when the caller gives up, the deadline passes or the connection
/// breaks; `receive` and `send` then throw `cancelled` or `deadlineExceeded`.
public protocol ServerCall: AnyObject, Sendable {
  var head: CallHead { get }

  /// The caller's next message; nil when it has said that there are no more.
  ///
  /// What is not received is not credited: a caller that sends faster is held back.
  func receive() async throws(RPCError) -> [UInt8]?

  /// Sends a message; returns when there is room for another.
  func send(_ message: [UInt8]) async throws(RPCError)
}

/// What answers calls.
public protocol CallHandler: Sendable {
  /// Answers one call. To return is to answer OK; what is thrown becomes the call's status.
  func handle(_ call: any ServerCall) async throws(RPCError)
}

/// A call as the client has it.
///
/// Dropping it cancels it.
public protocol ClientCall: AnyObject, Sendable {
  /// Sends a message; returns when there is room for another.
  func send(_ message: [UInt8]) async throws(RPCError)

  /// Says that there are no more messages.
  func finishSending() async throws(RPCError)

  /// The server's next message; nil when it has answered OK.
  ///
  /// - Throws: the status, where it is another.
  func receive() async throws(RPCError) -> [UInt8]?

  /// Gives up.
  func cancel()

  /// Counts up with the bytes that go and come, also amid a message: whether the call moves.
  ///
  /// 0 for ever where the way does not tell.
  var movedByteCount: Int { get }
}

extension ClientCall {
  public var movedByteCount: Int { 0 }
}

/// A way to a server, over which many calls can go at once.
public protocol Channel: Sendable {
  /// Begins a call; connects first where there is no connection.
  ///
  /// - Throws: `unavailable` where the server cannot be reached, `unauthenticated` where one side does not
  ///   accept the other's certificate.
  func open(
    _ path: String, metadata: Metadata, timeout: Duration?
  ) async throws(RPCError) -> any ClientCall

  /// Ends all calls and the connection.
  func close() async
}
