// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

extension Channel {
  /// One request, one reply.
  ///
  /// - Throws: the call's status; `internal` for a reply that cannot be read, `unimplemented` where there are
  ///   none or several.
  package func call<Request, Reply>(
    _ method: Method<Request, Reply>, _ request: Request, metadata: Metadata = [],
    timeout: Duration?
  ) async throws(RPCError) -> Reply {
    precondition(method.kind == .unary, "\(method.path) has streams")
    let call = try await open(method.path, metadata: metadata, timeout: timeout)
    try await call.sendLast(request.encoded())
    return try await call.onlyReply()
  }

  /// One request, any number of replies.
  package func stream<Request, Reply>(
    _ method: Method<Request, Reply>, _ request: Request, metadata: Metadata = [],
    timeout: Duration?
  ) async throws(RPCError) -> ReplyStream<Reply> {
    precondition(method.kind == .serverStreaming, "\(method.path) does not stream replies")
    let call = try await open(method.path, metadata: metadata, timeout: timeout)
    try await call.sendLast(request.encoded())
    return ReplyStream(call)
  }

  /// Any number of requests, one reply.
  package func upload<Request, Reply>(
    _ method: Method<Request, Reply>, metadata: Metadata = [], timeout: Duration?
  ) async throws(RPCError) -> RequestStream<Request, Reply> {
    precondition(method.kind == .clientStreaming, "\(method.path) does not stream requests")
    return RequestStream(try await open(method.path, metadata: metadata, timeout: timeout))
  }
}

/// The replies of a call, as they come; to drop it is to cancel the call.
package struct ReplyStream<Reply: WireMessage>: Sendable {
  private let call: any ClientCall

  init(_ call: any ClientCall) { self.call = call }

  /// The next reply; nil when the call has ended with OK.
  ///
  /// - Throws: the call's status; `internal` for a reply that cannot be read.
  package func next() async throws(RPCError) -> Reply? {
    guard let bytes = try await call.receive() else { return nil }
    return try call.read(bytes)
  }

  package func cancel() { call.cancel() }

  /// Counts up with the bytes that go and come; 0 for ever where the way does not tell.
  package var movedByteCount: Int { call.movedByteCount }
}

/// The requests of a call, and its reply; to drop it is to cancel the call.
package struct RequestStream<Request: WireMessage, Reply: WireMessage>: Sendable {
  private let call: any ClientCall

  init(_ call: any ClientCall) { self.call = call }

  /// Sends a request; returns when there is room for another.
  ///
  /// - Throws: the call's status, where the server has ended it.
  package func send(_ request: Request) async throws(RPCError) {
    do throws(RPCError) { try await call.send(request.encoded()) } catch {
      throw await call.status(after: error)
    }
  }

  /// Says that there are no more requests, and waits for the reply.
  package func finish() async throws(RPCError) -> Reply {
    do throws(RPCError) { try await call.finishSending() } catch {
      throw await call.status(after: error)
    }
    return try await call.onlyReply()
  }

  package func cancel() { call.cancel() }

  /// Counts up with the bytes that go and come; 0 for ever where the way does not tell.
  package var movedByteCount: Int { call.movedByteCount }
}

extension ClientCall {
  fileprivate func sendLast(_ message: [UInt8]) async throws(RPCError) {
    do throws(RPCError) {
      try await send(message)
      try await finishSending()
    } catch { throw await status(after: error) }
  }

  fileprivate func onlyReply<Reply: WireMessage>() async throws(RPCError) -> Reply {
    guard let bytes = try await receive() else {
      throw RPCError(.unimplemented, "the server answered OK and sent no reply")
    }
    let reply: Reply = try read(bytes)
    guard try await receive() == nil else {
      cancel()
      throw RPCError(.unimplemented, "the server sent several replies where there is one")
    }
    return reply
  }

  fileprivate func read<Reply: WireMessage>(_ bytes: [UInt8]) throws(RPCError) -> Reply {
    do throws(WireError) { return try Reply(decoding: bytes) } catch {
      cancel()
      throw RPCError(.internal, "the server's reply cannot be read: \(error.message)")
    }
  }

  /// Why sending failed: what the server said, where it said something.
  fileprivate func status(after error: RPCError) async -> RPCError {
    do throws(RPCError) {
      while try await receive() != nil {}
      return error
    } catch { return error }
  }
}
