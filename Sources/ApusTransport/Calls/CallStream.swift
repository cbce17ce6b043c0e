// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import Synchronization

/// One call on a connection: drives gRPC's machine with what HTTP/2 brings and what the call's task wants.
// Sendable: all of it but `pipe`, which has a lock, and the atomic count is touched by its loop's thread only;
// other threads post.
final class CallStream<Machine: CallMachine>: @unchecked Sendable, StreamConsumer {
  let loop: EventLoop
  let pipe = CallPipe()
  private var machine: Machine
  private weak var connection: Connection?
  private(set) var stream: HTTP2Stream?
  private let budget: WindowBudget
  private var deadline: LoopTimer?
  private var held = 0
  private var isWaitingForRoom = false
  private var hasEndedInput = false
  /// When a byte went either way last, in milliseconds of the loop's clock.
  private(set) var lastProgress: UInt64
  /// Bytes that went either way.
  let movedByteCount = Atomic(0)

  /// Server: starts the handler.
  var onBegin: ((CallHead) -> Void)?
  /// The call is over, as far as its task is concerned.
  var onFinish: ((RPCError?) -> Void)?
  /// What the server puts into the head.
  var peer = Peer(identity: nil, address: "")

  init(_ machine: Machine, stream: HTTP2Stream?, on connection: Connection, budget: WindowBudget) {
    self.machine = machine
    self.stream = stream
    self.connection = connection
    self.budget = budget
    loop = connection.loop
    lastProgress = connection.loop.now
  }

  /// Whether the other side owes bytes, and is not held back by this one.
  var isOwed: Bool {
    guard let stream else { return false }
    if stream.queuedCount > 0 { return true }
    return !hasEndedInput && !isWaitingForRoom && pipe.isEmpty
  }

  /// Ends the call when the other side owes bytes and has not moved for too long.
  func checkProgress() {
    if let stream, stream.isResetAfterEnd, stream.hasSentEnd {
      connection?.session.resetNow(stream)
      connection?.setNeedsFlush()
      return
    }
    guard isOwed else {
      lastProgress = loop.now
      return
    }
    play {
      $0.fail(
        RPCError(.unavailable, "The call made no progress for too long.", reason: "no-progress"))
    }
    // What is queued cannot be sent to one that does not read, nor a status behind it.
    if let stream, stream.queuedCount > 0 {
      connection?.session.reset(stream, code: HTTP2Code.cancel)
      connection?.setNeedsFlush()
    }
  }

  /// Client: opens the stream.
  func open(with steps: [CallStep]) { perform(steps) }

  func setDeadline(_ timeout: Duration?) {
    guard let timeout else { return }
    let timer = LoopTimer { [weak self] _ in
      guard let self else { return }
      self.play { $0.deadlinePassed() }
    }
    deadline = timer
    loop.schedule(timer, at: loop.now + timeout.milliseconds)
  }

  /// Plays an event of the task's side and does what follows from it.
  func play(_ event: (inout Machine) -> [CallStep]) {
    perform(event(&machine))
    connection?.setNeedsFlush()
  }

  /// The task has taken messages: the other side may send as many bytes more.
  func creditTaken() {
    let count = pipe.collectTaken()
    release(count)
    guard let stream, let connection else { return }
    connection.session.credit(count, on: stream)
    connection.setNeedsFlush()
  }

  // MARK: What HTTP/2 brings

  func streamDidReceive(headers: Metadata, isLast: Bool) {
    lastProgress = loop.now
    if isLast { hasEndedInput = true }
    perform(machine.receive(headers: headers, isLast: isLast))
  }

  func streamDidReceive(data: UnsafeRawBufferPointer) {
    lastProgress = loop.now
    movedByteCount.add(data.count, ordering: .relaxed)
    held += data.count
    budget.held += data.count
    perform(machine.receive(data: data))
    if budget.isExhausted {
      perform(
        machine.fail(
          RPCError(
            .resourceExhausted, "The server has no memory left for messages.", reason: "no-memory"))
      )
    }
    sizeWindow()
  }

  func streamDidEnd() {
    hasEndedInput = true
    perform(machine.receiveEnd())
  }

  func streamDidTake(_ count: Int) {
    lastProgress = loop.now
    movedByteCount.add(count, ordering: .relaxed)
    pipe.didSend(count)
  }

  func streamDidClose(code: UInt32, lost: ConnectionLoss?) {
    let reserved = stream?.reserved ?? 0
    stream = nil
    if let lost {
      perform(machine.fail(lost.callError))
    } else {
      perform(machine.receiveReset(code))
    }
    budget.release(reserved, of: self)
    if reserved > 0, lost == nil { connection?.session.changeConnectionWindow(by: -reserved) }
    release(held)
    endTimer()
    onBegin = nil
    onFinish = nil
  }

  private func release(_ count: Int) {
    // Messages that are taken after the end were given back then.
    let part = min(count, held)
    held -= part
    budget.held -= part
  }

  /// Asks for a window of two messages' size for messages that do not fit into half of it: nghttp2 credits by halves.
  private func sizeWindow() {
    guard let stream, !isWaitingForRoom, let length = machine.announcedLength else { return }
    let missing = 2 * (length + CallPipe.framing) - stream.window
    guard missing > 0 else { return }
    isWaitingForRoom = true
    budget.request(missing, for: self) { [weak self] count in
      guard let self, let stream = self.stream, let connection = self.connection else { return }
      self.isWaitingForRoom = false
      self.lastProgress = self.loop.now
      stream.reserved += count
      connection.session.widen(stream, by: count)
      connection.setNeedsFlush()
    }
  }

  // MARK: What the machine decides

  private func perform(_ steps: [CallStep]) {
    for step in steps { perform(step) }
  }

  private func perform(_ step: CallStep) {
    switch step {
    case .begin(let path, let metadata, let timeout):
      setDeadline(timeout)
      onBegin?(CallHead(path: path, metadata: metadata, timeout: timeout, peer: peer))
    case .message(let message): pipe.deliver(message)
    case .endOfMessages: pipe.end()
    case .headers(let fields, let isLast): send(headers: fields, isLast: isLast)
    case .data(let bytes, let isLast):
      guard let stream else { return }
      stream.enqueue(bytes)
      if isLast { stream.end(with: nil) }
      connection?.session.resume(stream)
    case .trailers(let trailers):
      guard let stream else { return }
      stream.end(with: trailers)
      connection?.session.resume(stream)
    case .reset(let code):
      guard let stream else { return }
      connection?.session.reset(stream, code: code)
    case .finished(let error):
      endTimer()
      finish(error)
    }
  }

  private func send(headers: Metadata, isLast: Bool) {
    guard let connection else { return }
    if let stream {
      connection.session.respond(on: stream, headers: headers, isLast: isLast)
    } else {
      stream = connection.session.open(headers: headers, consumer: self)
      if stream == nil {
        perform(machine.fail(RPCError(.unavailable, "The connection takes no more calls.")))
      }
    }
  }

  private func finish(_ error: RPCError?) {
    if connection?.session.options.isServer == false {
      // The caller gets what came before the status, and then the status.
      if let error { pipe.fail(error, dropsMessages: false) } else { pipe.end() }
    } else {
      pipe.fail(error ?? RPCError(.cancelled, "The call is over."), dropsMessages: true)
    }
    onFinish?(error)
    onFinish = nil
  }

  private func endTimer() {
    if let deadline { loop.cancel(deadline) }
    deadline = nil
  }
}
