// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Gives each call to what was registered for its path; `unimplemented` for all others.
///
/// Requests that cannot be read are answered `invalidArgument`. A call that must have one request and has none
/// or several is answered `unimplemented`, as gRPC has it.
package struct CallRouter: CallHandler {
  private typealias Body = @Sendable (any ServerCall) async throws(RPCError) -> Void

  private var bodies: [String: Body] = [:]

  package init() {}

  /// What is registered.
  package var paths: Set<String> { Set(bodies.keys) }

  package func handle(_ call: any ServerCall) async throws(RPCError) {
    guard let body = bodies[call.head.path] else {
      throw RPCError(.unimplemented, "there is no call \(call.head.path.prefix(200))")
    }
    try await body(call)
  }

  /// One request, one reply.
  package mutating func register<Request, Reply>(
    _ method: Method<Request, Reply>,
    _ body: @escaping @Sendable (Request, CallHead) async throws(RPCError) -> Reply
  ) {
    precondition(method.kind == .unary, "\(method.path) has streams")
    register(raw: method.path) { (call) async throws(RPCError) in
      let request: Request = try await Self.onlyRequest(of: call)
      try await call.send(try await body(request, call.head).encoded())
    }
  }

  /// One request, any number of replies.
  package mutating func register<Request, Reply>(
    streaming method: Method<Request, Reply>,
    _ body:
      @escaping @Sendable (Request, CallHead, ReplySender<Reply>) async throws(RPCError) -> Void
  ) {
    precondition(method.kind == .serverStreaming, "\(method.path) does not stream replies")
    register(raw: method.path) { (call) async throws(RPCError) in
      let request: Request = try await Self.onlyRequest(of: call)
      try await body(request, call.head, ReplySender(call))
    }
  }

  /// Any number of requests, one reply.
  package mutating func register<Request, Reply>(
    uploading method: Method<Request, Reply>,
    _ body: @escaping @Sendable (RequestReader<Request>, CallHead) async throws(RPCError) -> Reply
  ) {
    precondition(method.kind == .clientStreaming, "\(method.path) does not stream requests")
    register(raw: method.path) { (call) async throws(RPCError) in
      try await call.send(try await body(RequestReader(call), call.head).encoded())
    }
  }

  /// Messages as bytes, both ways.
  package mutating func register(
    raw path: String, _ body: @escaping @Sendable (any ServerCall) async throws(RPCError) -> Void
  ) {
    precondition(bodies[path] == nil, "\(path) is registered twice")
    bodies[path] = body
  }

  private static func onlyRequest<Request: WireMessage>(
    of call: any ServerCall
  ) async throws(RPCError) -> Request {
    guard let bytes = try await call.receive() else {
      throw RPCError(.unimplemented, "the call has no request; it takes one")
    }
    let request = try Request(received: bytes)
    guard try await call.receive() == nil else {
      throw RPCError(.unimplemented, "the call has several requests; it takes one")
    }
    return request
  }
}

extension WireMessage {
  /// A request that a peer sent.
  fileprivate init(received bytes: [UInt8]) throws(RPCError) {
    do throws(WireError) { try self.init(decoding: bytes) } catch {
      throw RPCError(.invalidArgument, error.message, reason: error.code.rawValue)
    }
  }
}

/// Where a handler puts its replies.
package struct ReplySender<Reply: WireMessage>: Sendable {
  private let call: any ServerCall

  init(_ call: any ServerCall) { self.call = call }

  /// Returns when there is room for another.
  package func send(_ reply: Reply) async throws(RPCError) { try await call.send(reply.encoded()) }
}

/// Where a handler takes its requests from.
package struct RequestReader<Request: WireMessage>: Sendable {
  private let call: any ServerCall

  init(_ call: any ServerCall) { self.call = call }

  /// The next request; nil when there are no more.
  package func next() async throws(RPCError) -> Request? {
    guard let bytes = try await call.receive() else { return nil }
    return try Request(received: bytes)
  }
}
