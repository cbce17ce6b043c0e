// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Both machines of a call in this process, and what goes between them.
final class InProcessCall: Sendable {
  /// What ends with the call.
  private struct Running {
    var handler: Task<Void, Never>?
    var deadline: Task<Void, Never>?
    var onEnd: (@Sendable () -> Void)?
  }

  private struct Machines {
    var client: ClientCallMachine
    var server: ServerCallMachine
    var head: CallHead?
    var running = Running()
    /// How the call ended, as each side has it.
    var clientEnd: Result<Void, RPCError>?
    var serverEnd: RPCError?
    /// Whether both sides know, so that all that runs for the call is to end.
    var isOver: Bool { clientEnd != nil && serverEnd != nil }
  }

  private let machines: Mutex<Machines>
  private let peer: Peer
  private let timeout: Duration?
  /// What the server has still to take, and what the client has.
  let requests = Mailbox()
  let replies = Mailbox()

  init(path: String, metadata: Metadata, timeout: Duration?, peer: Peer, limits: CallLimits) {
    self.peer = peer
    self.timeout = timeout
    machines = Mutex(
      Machines(
        client: ClientCallMachine(
          path: path, authority: "in-process", metadata: metadata, timeout: timeout, limits: limits),
        server: ServerCallMachine(limits: limits)))
  }

  /// The head as the server had it.
  var head: CallHead? { machines.withLock { $0.head } }

  func start(handler: any CallHandler, onEnd: @escaping @Sendable () -> Void) {
    machines.withLock { $0.running.onEnd = onEnd }
    client { $0.start() }
    guard let head else { return }
    let task = Task {
      var status: RPCError?
      do throws(RPCError) {
        try await handler.handle(InProcessServerCall(self, head: head))
      } catch { status = error }
      self.server { $0.finish(status) }
    }
    let deadline = head.timeout.map { timeout in
      Task {
        // Cancelled when the call ends first.
        guard (try? await Task.sleep(for: timeout)) != nil else { return }
        self.server { $0.deadlinePassed() }
        self.client { $0.deadlinePassed() }
      }
    }
    machines.withLock { ($0.running.handler, $0.running.deadline) = (task, deadline) }
    cleanUp()
  }

  func client(_ body: (inout ClientCallMachine) -> [CallStep]) {
    machines.withLock { machines in
      let steps = body(&machines.client)
      play(ofClient: steps, &machines)
    }
    cleanUp()
  }

  func server(_ body: (inout ServerCallMachine) -> [CallStep]) {
    machines.withLock { machines in
      let steps = body(&machines.server)
      play(ofServer: steps, &machines)
    }
    cleanUp()
  }

  /// How the call ended for the client; nil where it has not, or with OK.
  var clientError: RPCError? {
    if case .failure(let error) = machines.withLock({ $0.clientEnd }) { error } else { nil }
  }

  /// Why the handler's work is not wanted any more.
  var serverError: RPCError? { machines.withLock { $0.serverEnd } }

  /// As if the connection had broken.
  func breakConnection() {
    client { $0.fail(RPCError(.unavailable, "the connection was closed")) }
    server { $0.receiveReset(ResetCode.cancel) }
  }

  private func play(ofClient steps: [CallStep], _ machines: inout Machines) {
    for step in steps {
      switch step {
      case .headers(let headers, let isLast):
        play(ofServer: machines.server.receive(headers: headers, isLast: isLast), &machines)
      case .data(let bytes, let isLast):
        play(ofServer: bytes.withUnsafeBytes { machines.server.receive(data: $0) }, &machines)
        if isLast { play(ofServer: machines.server.receiveEnd(), &machines) }
      case .reset(let code): play(ofServer: machines.server.receiveReset(code), &machines)
      case .message(let message): replies.put(message)
      case .finished(let error):
        replies.close(error)
        machines.clientEnd = error.map { .failure($0) } ?? .success(())
      case .begin, .endOfMessages, .trailers: break
      }
    }
  }

  private func play(ofServer steps: [CallStep], _ machines: inout Machines) {
    for step in steps {
      switch step {
      case .headers(let headers, let isLast):
        play(ofClient: machines.client.receive(headers: headers, isLast: isLast), &machines)
      case .data(let bytes, _):
        play(ofClient: bytes.withUnsafeBytes { machines.client.receive(data: $0) }, &machines)
      case .trailers(let trailers):
        play(ofClient: machines.client.receive(headers: trailers, isLast: true), &machines)
      case .reset(let code): play(ofClient: machines.client.receiveReset(code), &machines)
      case .begin(let path, let metadata, let timeout):
        machines.head = CallHead(path: path, metadata: metadata, timeout: timeout, peer: peer)
      case .message(let message): requests.put(message)
      case .endOfMessages: requests.close(nil)
      case .finished(let error):
        let error = error ?? RPCError(.cancelled, "the call is over")
        requests.fail(error)
        machines.serverEnd = error
      }
    }
  }

  /// When the call is over, what runs for it is too; outside of the lock, for it may come back here.
  private func cleanUp() {
    let running = machines.withLock { machines in
      let running = machines.isOver ? machines.running : Running()
      if machines.isOver { machines.running = Running() }
      return running
    }
    running.handler?.cancel()
    running.deadline?.cancel()
    running.onEnd?()
  }
}

/// The client's end of a call in this process.
final class InProcessClientCall: ClientCall {
  private let call: InProcessCall
  /// The way stays open as long as a call on it.
  private let transport: InProcessTransport

  init(_ call: InProcessCall, of transport: InProcessTransport) {
    self.call = call
    self.transport = transport
  }

  deinit { cancel() }

  func send(_ message: [UInt8]) async throws(RPCError) {
    if let error = call.clientError { throw error }
    call.client { $0.send(message) }
    await call.requests.waitForRoom()
  }

  func finishSending() async throws(RPCError) { call.client { $0.finishSending() } }

  func receive() async throws(RPCError) -> [UInt8]? {
    let result: Result<[UInt8]?, RPCError> = await withTaskCancellationHandler {
      do throws(RPCError) { return .success(try await call.replies.next()) } catch {
        return .failure(error)
      }
    } onCancel: {
      cancel()
    }
    return try result.get()
  }

  func cancel() { call.client { $0.cancel() } }
}

/// The server's end of a call in this process.
final class InProcessServerCall: ServerCall {
  private let call: InProcessCall
  let head: CallHead

  init(_ call: InProcessCall, head: CallHead) {
    self.call = call
    self.head = head
  }

  func receive() async throws(RPCError) -> [UInt8]? { try await call.requests.next() }

  func send(_ message: [UInt8]) async throws(RPCError) {
    if let error = call.serverError { throw error }
    call.server { $0.send(message) }
    await call.replies.waitForRoom()
  }
}
