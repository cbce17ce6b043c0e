// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// One gRPC call as the client has it, without sockets, clocks or tasks: what happens goes in, what is to be
/// done comes out.
///
/// When the call is over everything else that happens to it gives no steps.
package struct ClientCallMachine: Sendable {
  private enum Inbound { case headers, messages }

  private let head: Metadata
  private var deframer: MessageDeframer
  private var inbound = Inbound.headers
  private var hasFinishedSending = false
  private var isOver = false

  /// - Parameters:
  ///   - path: for example `/apus.v1.Edge/CheckIn`.
  ///   - authority: HOST:PORT of the server.
  ///   - metadata: names in lower case.
  ///   - timeout: how long the caller waits; the server is told.
  ///   - limits: of what the server sends.
  package init(
    path: String, authority: String, metadata: Metadata = [], timeout: Duration? = nil,
    limits: CallLimits = CallLimits()
  ) {
    head =
      [
        (":method", "POST"), (":scheme", "https"), (":path", path), (":authority", authority),
        ("te", "trailers"),
      ] + (timeout.map { [("grpc-timeout", GRPCTimeout.format($0))] } ?? [])
      + [("content-type", "application/grpc"), ("user-agent", "grpc-swift-apus")] + metadata
    deframer = MessageDeframer(limit: limits.messageSize)
  }

  /// The length of the message that is under way: its prefix has come, and not all of the rest.
  package var announcedLength: Int? { deframer.announcedLength }

  // MARK: What the caller does

  /// Once, before all else.
  package mutating func start() -> [CallStep] { isOver ? [] : [.headers(head, isLast: false)] }

  package mutating func send(_ message: [UInt8]) -> [CallStep] {
    guard !isOver, !hasFinishedSending else { return [] }
    return MessageDeframer.steps(sending: message)
  }

  /// There are no more messages.
  package mutating func finishSending() -> [CallStep] {
    guard !isOver, !hasFinishedSending else { return [] }
    hasFinishedSending = true
    return [.data([], isLast: true)]
  }

  package mutating func cancel() -> [CallStep] {
    giveUp(RPCError(.cancelled, "the call was cancelled here"))
  }

  /// The time that the caller waits is over.
  package mutating func deadlinePassed() -> [CallStep] {
    giveUp(RPCError(.deadlineExceeded, "no answer came in the time that was given"))
  }

  /// Ends the call with a status that is not the server's: the connection broke, for example.
  package mutating func fail(_ error: RPCError) -> [CallStep] { giveUp(error) }

  // MARK: What the server does

  /// HEADERS, pseudo headers included: the head, or the trailers.
  package mutating func receive(headers: Metadata, isLast: Bool) -> [CallStep] {
    guard !isOver else { return [] }
    if inbound == .messages {
      guard isLast else { return giveUp(RPCError(.internal, "headers came amid the messages")) }
      guard deframer.isBetweenMessages else {
        return giveUp(RPCError(.internal, "the stream ended within a message"))
      }
      return end(with: RPCError.of(trailers: headers))
    }
    let status = headers.first { $0.name == ":status" }.flatMap { Int($0.value) } ?? 0
    if 100..<200 ~= status, !isLast { return [] }
    inbound = .messages
    if isLast, headers.contains(where: { $0.name == "grpc-status" }) {
      return end(with: RPCError.of(trailers: headers))
    }
    guard status == 200 else {
      return isLast
        ? end(with: RPCError.of(httpStatus: status)) : giveUp(RPCError.of(httpStatus: status))
    }
    guard headers.contains(where: { $0.name == "content-type" && RequestHead.isGRPC($0.value) })
    else { return giveUp(RPCError(.unknown, "the server's answer is not gRPC")) }
    guard !headers.contains(where: { $0.name == "grpc-encoding" && $0.value != "identity" }) else {
      return giveUp(RPCError(.internal, "the server compresses, which was not asked for"))
    }
    return isLast ? end(with: RPCError.of(trailers: headers)) : []
  }

  /// DATA, of any length.
  package mutating func receive(data: UnsafeRawBufferPointer) -> [CallStep] {
    guard !isOver else { return [] }
    guard inbound == .messages else {
      return giveUp(RPCError(.internal, "data came before headers"))
    }
    var steps: [CallStep] = []
    do throws(RPCError) {
      try deframer.receive(data) { steps.append(.message($0)) }
    } catch { return steps + giveUp(error) }
    return steps
  }

  /// END_STREAM without trailers.
  package mutating func receiveEnd() -> [CallStep] {
    guard !isOver else { return [] }
    return end(with: RPCError(.internal, "the server ended the stream without a status"))
  }

  /// RST_STREAM.
  package mutating func receiveReset(_ code: UInt32) -> [CallStep] {
    guard !isOver else { return [] }
    isOver = true
    return [.finished(RPCError.of(reset: code))]
  }

  /// The server has ended the stream; what was still to be sent is not wanted.
  private mutating func end(with error: RPCError?) -> [CallStep] {
    isOver = true
    return hasFinishedSending ? [.finished(error)] : [.finished(error), .reset(ResetCode.cancel)]
  }

  private mutating func giveUp(_ error: RPCError) -> [CallStep] {
    guard !isOver else { return [] }
    isOver = true
    return [.finished(error), .reset(ResetCode.cancel)]
  }
}
