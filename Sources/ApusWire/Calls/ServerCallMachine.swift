// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// One gRPC call as the server has it, without sockets, clocks or tasks: what happens goes in, what is to be
/// done comes out.
///
/// When the call is over everything else that happens to it gives no steps.
package struct ServerCallMachine: Sendable {
  private enum Inbound { case headers, messages, ended }

  private var deframer: MessageDeframer
  private var inbound = Inbound.headers
  private var hasSentHeaders = false
  private var isOver = false

  package init(limits: CallLimits = CallLimits()) {
    deframer = MessageDeframer(limit: limits.messageSize)
  }

  /// The length of the message that is under way: its prefix has come, and not all of the rest.
  package var announcedLength: Int? { deframer.announcedLength }

  // MARK: What the peer does

  /// HEADERS, pseudo headers included.
  package mutating func receive(headers: Metadata, isLast: Bool) -> [CallStep] {
    guard !isOver else { return [] }
    guard inbound == .headers else {
      // A second block can only end the stream.
      return isLast ? receiveEnd() : fail(RPCError(.internal, "headers came amid the messages"))
    }
    inbound = isLast ? .ended : .messages
    let head: RequestHead
    do throws(RequestHead.Refusal) { head = try RequestHead(headers) } catch {
      switch error {
      case .http(let status, let extra, let why): return refuse(status, extra, why)
      case .status(let error): return fail(error)
      }
    }
    let begin = CallStep.begin(path: head.path, metadata: head.metadata, timeout: head.timeout)
    return isLast ? [begin, .endOfMessages] : [begin]
  }

  /// DATA, of any length.
  package mutating func receive(data: UnsafeRawBufferPointer) -> [CallStep] {
    guard !isOver, inbound == .messages else { return [] }
    var steps: [CallStep] = []
    do throws(RPCError) {
      try deframer.receive(data) { steps.append(.message($0)) }
    } catch { return steps + fail(error) }
    return steps
  }

  /// END_STREAM.
  package mutating func receiveEnd() -> [CallStep] {
    guard !isOver, inbound == .messages else { return [] }
    inbound = .ended
    guard deframer.isBetweenMessages else {
      return fail(RPCError(.internal, "the stream ended within a message"))
    }
    return [.endOfMessages]
  }

  /// RST_STREAM, or the end of the connection.
  package mutating func receiveReset(_ code: UInt32) -> [CallStep] {
    guard !isOver else { return [] }
    isOver = true
    return [.finished(RPCError(.cancelled, "the caller gave up"))]
  }

  // MARK: What happens here

  /// The time that the caller waits is over.
  package mutating func deadlinePassed() -> [CallStep] {
    fail(RPCError(.deadlineExceeded, "the call took longer than its caller waits"))
  }

  /// Ends the call with a status that is not the handler's.
  package mutating func fail(_ error: RPCError) -> [CallStep] { end(with: error) }

  /// The handler sends a message.
  package mutating func send(_ message: [UInt8]) -> [CallStep] {
    guard !isOver else { return [] }
    defer { hasSentHeaders = true }
    let data = MessageDeframer.steps(sending: message)
    return hasSentHeaders ? data : [.headers(Self.head, isLast: false)] + data
  }

  /// The handler is done: nil for OK.
  package mutating func finish(_ error: RPCError?) -> [CallStep] { end(with: error) }

  private static var head: Metadata {
    [
      (":status", "200"), ("content-type", "application/grpc"),
      ("grpc-accept-encoding", "identity"),
    ]
  }

  private mutating func end(with error: RPCError?) -> [CallStep] {
    guard !isOver else { return [] }
    isOver = true
    let trailers = RPCError.trailers(of: error)
    let last: CallStep =
      hasSentHeaders ? .trailers(trailers) : .headers(Self.head + trailers, isLast: true)
    return [.finished(error), last] + resetOfRest
  }

  /// An answer that is HTTP's and not gRPC's.
  private mutating func refuse(_ status: Int, _ extra: Metadata, _ why: String) -> [CallStep] {
    isOver = true
    let error = RPCError(.invalidArgument, why)
    return [
      .finished(error), .headers([(":status", String(status))] + extra, isLast: true),
    ] + resetOfRest
  }

  /// The answer is complete, and what the caller still sends is not wanted: RFC 9113 §8.1.
  private var resetOfRest: [CallStep] { inbound == .ended ? [] : [.reset(ResetCode.noError)] }
}
