// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import Synchronization

/// A call as its handler has it.
final class GRPCServerCall: ServerCall {
  let head: CallHead
  private let stream: CallStream<ServerCallMachine>

  init(_ head: CallHead, stream: CallStream<ServerCallMachine>) {
    self.head = head
    self.stream = stream
  }

  func receive() async throws(RPCError) -> [UInt8]? { try await stream.receive() }

  func send(_ message: [UInt8]) async throws(RPCError) {
    try stream.pipe.willSend(message.count)
    stream.loop.post { [stream] in stream.play { $0.send(message) } }
    try await stream.pipe.waitForRoom()
  }
}

/// A call as its caller has it.
final class GRPCClientCall: ClientCall {
  private let stream: CallStream<ClientCallMachine>

  init(_ stream: CallStream<ClientCallMachine>) { self.stream = stream }

  deinit { cancel() }

  func send(_ message: [UInt8]) async throws(RPCError) {
    try stream.pipe.willSend(message.count)
    stream.loop.post { [stream] in stream.play { $0.send(message) } }
    try await stream.pipe.waitForRoom()
  }

  func finishSending() async throws(RPCError) {
    stream.loop.post { [stream] in stream.play { $0.finishSending() } }
  }

  func receive() async throws(RPCError) -> [UInt8]? { try await stream.receive() }

  func cancel() {
    stream.loop.post { [stream] in stream.play { $0.cancel() } }
  }

  var movedByteCount: Int { stream.movedByteCount.load(ordering: .relaxed) }
}

extension CallStream {
  /// The next message; the stream hears, in batches, how many bytes were taken.
  func receive() async throws(RPCError) -> [UInt8]? {
    let (message, tellsStream) = try await pipe.receive()
    if tellsStream { loop.post { self.creditTaken() } }
    return message
  }
}
