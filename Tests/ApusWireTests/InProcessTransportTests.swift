// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import ApusWire

@Suite("In-process transport")
struct InProcessTransportTests {
  private static let peer = Peer(identity: nil, address: "test")

  /// A handler of three kinds of calls.
  private func transport(limits: CallLimits = CallLimits()) -> InProcessTransport {
    var router = CallRouter()
    router.register(EdgeMethods.checkIn) { (request, head) async throws(RPCError) in
      guard request.tasks != ["none"] else {
        throw RPCError(
          .failedPrecondition, "no such task", reason: "no-task", retryAfter: .seconds(2))
      }
      return Proto.CheckInReply {
        $0.answer = .notNeeded(request.tasks.joined(separator: "+") + head.peer.address)
      }
    }
    router.register(streaming: BlobsMethods.readBlob) {
      (request, _, sender) async throws(RPCError) in
      for offset in request.offset..<request.length {
        try await sender.send(Proto.BlobChunk { $0.offset = offset })
      }
    }
    router.register(uploading: BlobsMethods.writeBlob) { (reader, _) async throws(RPCError) in
      var size = 0
      while let chunk = try await reader.next() {
        guard chunk.index < 1_000 else { throw RPCError(.outOfRange, "no such chunk") }
        size += chunk.data.count
      }
      return Proto.UploadStatus { $0.committedSize = UInt64(size) }
    }
    return InProcessTransport(handler: router, peer: Self.peer, limits: limits)
  }

  @Test("A call gives its reply, or its status with everything in it")
  func unary() async throws {
    let transport = transport()
    let reply = try await transport.call(
      EdgeMethods.checkIn, Proto.CheckInRequest { $0.tasks = ["a", "b"] }, timeout: .seconds(60))
    #expect(reply.answer == .notNeeded("a+btest"))
    await #expect(
      throws: RPCError(
        .failedPrecondition, "no such task", reason: "no-task", retryAfter: .seconds(2))
    ) {
      try await transport.call(
        EdgeMethods.checkIn, Proto.CheckInRequest { $0.tasks = ["none"] }, timeout: nil)
    }
  }

  @Test("A path that nobody answers is unimplemented")
  func unknownPath() async throws {
    let error = await #expect(throws: RPCError.self) {
      try await transport().call(EdgeMethods.hello, Proto.HelloRequest(), timeout: nil)
    }
    #expect(error?.code == .unimplemented)
  }

  @Test("Replies come one after the other, and end with OK")
  func streaming() async throws {
    let stream = try await transport().stream(
      BlobsMethods.readBlob, Proto.ReadBlobRequest { $0.length = 100 }, timeout: nil)
    var offsets: [UInt64] = []
    while let chunk = try await stream.next() { offsets.append(chunk.offset) }
    #expect(offsets == Array(0..<100))
  }

  @Test("What was sent before an error is received before it")
  func messagesBeforeStatus() async throws {
    var router = CallRouter()
    router.register(streaming: BlobsMethods.readBlob) { (_, _, sender) async throws(RPCError) in
      for offset in 0..<3 { try await sender.send(Proto.BlobChunk { $0.offset = UInt64(offset) }) }
      throw RPCError(.unavailable, "the server goes down")
    }
    let transport = InProcessTransport(handler: router, peer: Self.peer)
    for _ in 0..<100 {
      let stream = try await transport.stream(
        BlobsMethods.readBlob, Proto.ReadBlobRequest(), timeout: nil)
      var offsets: [UInt64] = []
      let error = await #expect(throws: RPCError.self) {
        while let chunk = try await stream.next() { offsets.append(chunk.offset) }
      }
      #expect(offsets == [0, 1, 2] && error?.code == .unavailable)
    }
  }

  @Test("Requests are counted, in more bytes than wait at once")
  func uploading() async throws {
    let stream = try await transport().upload(BlobsMethods.writeBlob, timeout: nil)
    let chunk = Proto.WriteChunk { $0.data = Array(repeating: 7, count: 300_000) }
    for _ in 0..<20 { try await stream.send(chunk) }
    #expect(try await stream.finish().committedSize == 6_000_000)
  }

  @Test("Who sends after the server has refused is told why")
  func refusedUpload() async throws {
    let stream = try await transport().upload(BlobsMethods.writeBlob, timeout: nil)
    let error = await #expect(throws: RPCError.self) {
      let chunk = Proto.WriteChunk { $0.index = 1_000 }
      for _ in 0..<100_000 { try await stream.send(chunk) }
      _ = try await stream.finish()
    }
    #expect(error?.code == .outOfRange)
  }

  @Test("A message beyond the limit is refused")
  func limit() async throws {
    let error = await #expect(throws: RPCError.self) {
      try await transport(limits: CallLimits(messageSize: 10)).call(
        EdgeMethods.checkIn, Proto.CheckInRequest { $0.tasks = ["0123456789"] }, timeout: nil)
    }
    #expect(error?.code == .resourceExhausted)
  }

  @Test("Bytes that are no request, and too few or too many requests, are refused")
  func cardinality() async throws {
    for (messages, code) in [
      ([], StatusCode.unimplemented), ([[], []], .unimplemented), ([[0xff]], .invalidArgument),
    ] as [([[UInt8]], StatusCode)] {
      let call = try await transport().open(EdgeMethods.checkIn.path, metadata: [], timeout: nil)
      for message in messages { try await call.send(message) }
      try await call.finishSending()
      let error = await #expect(throws: RPCError.self) { try await call.receive() }
      #expect(error?.code == code)
    }
  }

  /// Waits for a request that never comes, and says how that ended.
  private struct Waiting: CallHandler {
    let ended: AsyncStream<StatusCode>.Continuation

    func handle(_ call: any ServerCall) async throws(RPCError) {
      do throws(RPCError) { while try await call.receive() != nil {} } catch {
        ended.yield(error.code)
        throw error
      }
    }
  }

  @Test("A deadline ends the call on both sides")
  func deadline() async throws {
    let (ends, continuation) = AsyncStream.makeStream(of: StatusCode.self)
    let transport = InProcessTransport(handler: Waiting(ended: continuation), peer: Self.peer)
    let call = try await transport.open("/x", metadata: [], timeout: .milliseconds(20))
    let error = await #expect(throws: RPCError.self) { try await call.receive() }
    #expect(error?.code == .deadlineExceeded)
    #expect(await ends.first { _ in true } == .deadlineExceeded)
  }

  @Test("Cancelling a call, its task, or dropping it cancels the handler", arguments: 0..<3)
  func cancellation(_ way: Int) async throws {
    let (ends, continuation) = AsyncStream.makeStream(of: StatusCode.self)
    let transport = InProcessTransport(handler: Waiting(ended: continuation), peer: Self.peer)
    var call: (any ClientCall)? = try await transport.open("/x", metadata: [], timeout: nil)
    switch way {
    case 0: call?.cancel()
    case 1:
      let task = Task { [call] in try await call?.receive() }
      task.cancel()
      let error = await #expect(throws: RPCError.self) { try await task.value }
      #expect(error?.code == .cancelled)
    default: break
    }
    call = nil
    #expect(await ends.first { _ in true } == .cancelled)
  }

  @Test("Closing the way ends its calls, and no more begin")
  func closing() async throws {
    let (_, continuation) = AsyncStream.makeStream(of: StatusCode.self)
    let transport = InProcessTransport(handler: Waiting(ended: continuation), peer: Self.peer)
    let call = try await transport.open("/x", metadata: [], timeout: nil)
    await transport.close()
    let error = await #expect(throws: RPCError.self) { try await call.receive() }
    #expect(error?.code == .unavailable)
    let late = await #expect(throws: RPCError.self) {
      try await transport.open("/x", metadata: [], timeout: nil)
    }
    #expect(late?.code == .unavailable)
  }
}
