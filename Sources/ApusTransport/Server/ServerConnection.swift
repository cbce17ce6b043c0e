// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// One client of a server, on the loop's thread.
// Sendable: touched by its loop's thread only; other threads post.
final class ServerConnection: @unchecked Sendable {
  private typealias Call = CallStream<ServerCallMachine>

  private unowned let core: ServerCore
  private let address: SocketAddress
  private var connection: Connection?
  private var clock: ServerClock
  private var pings: PingGovernor
  private var floods: FloodGovernor
  private var timer: LoopTimer?
  private var peer: Peer
  private var calls: [Int32: Call] = [:]
  /// Handlers that run, those of calls that are over included.
  private var handlerCount = 0
  private var hasFinishedHandshake = false
  private var isAbusive = false
  /// Whether the first step of a graceful end was done; the second comes with the answer to a ping.
  private var isRetiring = false

  init(_ socket: Socket, address: SocketAddress, of core: ServerCore) throws(TransportError) {
    self.core = core
    self.address = address
    peer = Peer(identity: nil, address: address.description)
    clock = ServerClock(
      limits: core.limits, now: core.loop.now, jitter: Double.random(in: -1...1))
    pings = PingGovernor(interval: core.limits.pingInterval.milliseconds)
    floods = FloodGovernor(now: core.loop.now)
    connection = try Connection(
      socket, tls: core.tls, options: core.options, host: nil, owner: self)
    connection?.session.delegate = self
    timer = LoopTimer { [weak self] now in self?.tick(now) }
  }

  func start() {
    schedule()
    connection?.start()
  }

  func close(_ loss: ConnectionLoss) { connection?.close(loss) }

  /// Asks the client to go: first no new calls, and when it has heard that, none that it began meanwhile.
  func retire(_ reason: String, grace: Duration) {
    guard let connection else { return }
    guard hasFinishedHandshake else {
      return connection.close(ConnectionLoss(.ended, "The server goes down."))
    }
    clock.retire(at: core.loop.now, grace: grace)
    schedule()
    guard !isRetiring else { return }
    isRetiring = true
    connection.isHeldOpen = true
    connection.session.announceShutdown()
    connection.session.ping()
    connection.setNeedsFlush()
  }

  private func schedule() {
    guard let timer, let due = nextDue else { return }
    if !timer.isScheduled || due < timer.due { core.loop.schedule(timer, at: due) }
  }

  private var nextDue: UInt64? {
    let patience = core.limits.progressTimeout.milliseconds
    // Progress only puts these off, so it need not move the timer.
    let ofCalls = calls.values.map { $0.lastProgress + patience }.min()
    let ofSocket = connection?.blockedSince.map { $0 + patience }
    return [clock.nextDue, ofCalls, ofSocket].compactMap(\.self).min()
  }

  private func tick(_ now: UInt64) {
    guard let connection, !connection.isClosed else { return }
    let patience = core.limits.progressTimeout.milliseconds
    if let since = connection.blockedSince, since + patience <= now {
      core.statistics.abusiveConnections += 1
      return connection.close(ConnectionLoss(.broken, "The client does not read."))
    }
    switch clock.verdict(at: now) {
    case .close(let why):
      core.statistics.abusiveConnections += 1
      return connection.close(ConnectionLoss(.ended, why))
    case .retire(let reason): retire(reason, grace: core.limits.connectionGrace)
    case nil: break
    }
    for call in Array(calls.values) where call.lastProgress + patience <= now {
      call.checkProgress()
    }
    guard let timer, !connection.isClosed, let due = nextDue else { return }
    core.loop.schedule(timer, at: max(due, now + 1))
  }

  private func abuse(_ why: String) {
    guard !isAbusive else { return }
    isAbusive = true
    core.statistics.abusiveConnections += 1
    connection?.session.goAway(code: HTTP2Code.enhanceYourCalm, message: why)
    connection?.close(ConnectionLoss(.violation, why))
  }
}

extension ServerConnection: ConnectionOwner {
  func connectionDidOpen(_ connection: Connection) {
    hasFinishedHandshake = true
    core.didFinishHandshake()
    clock.finishHandshake(at: core.loop.now)
    schedule()
    if let certificate = connection.tls.peerCertificate {
      // It was verified and identified in the handshake; what fails now was changed in between.
      guard let identity = try? core.identify(certificate) else {
        return connection.close(ConnectionLoss(.notTrusted, "The certificate names nobody."))
      }
      peer.identity = identity
    }
    if core.isDraining { retire("shutdown", grace: core.limits.connectionGrace) }
  }

  func connectionDidClose(_ connection: Connection, _ loss: ConnectionLoss) {
    if let timer { core.loop.cancel(timer) }
    timer = nil
    if loss.kind == .violation, !isAbusive { core.statistics.abusiveConnections += 1 }
    if loss.kind == .notTrusted { core.onDistrust(address.description, loss.message) }
    self.connection = nil
    core.remove(self, address: address, duringHandshake: !hasFinishedHandshake)
  }

  func connectionDidHear(_ connection: Connection) { schedule() }
}

extension ServerConnection: HTTP2SessionDelegate {
  func sessionIsReadingHeaders(_ isReading: Bool) {
    if isReading { clock.beginHeaders(at: core.loop.now) } else { clock.endHeaders() }
  }

  func sessionConsumer(for stream: HTTP2Stream, headers: Metadata) -> (any StreamConsumer)? {
    guard let connection, handlerCount < 4 * core.limits.streamsPerConnection else { return nil }
    if headers.contains(where: { $0.name == ":method" && ($0.value == "GET" || $0.value == "HEAD") }
    ) {
      return PageStream(stream, on: connection, peer: peer, pages: core.pages)
    }
    let call = Call(
      ServerCallMachine(limits: CallLimits(messageSize: core.limits.messageSize)), stream: stream,
      on: connection, budget: core.budget)
    call.peer = peer
    call.onBegin = { [unowned self, unowned call] head in begin(call, head) }
    calls[stream.id] = call
    clock.setCallCount(calls.count, at: core.loop.now)
    return call
  }

  private func begin(_ call: Call, _ head: CallHead) {
    handlerCount += 1
    core.statistics.calls += 1
    core.statistics.startedCalls += 1
    let task = Task { [handler = core.handler, core = core, weak connection = self] in
      var failure: RPCError?
      do throws(RPCError) {
        try await handler.handle(GRPCServerCall(head, stream: call))
      } catch {
        failure = error
      }
      core.loop.post { [failure, weak connection] in
        call.play { $0.finish(failure) }
        core.statistics.calls -= 1
        connection?.handlerCount -= 1
      }
    }
    call.onFinish = { _ in task.cancel() }
  }

  func sessionDidCloseStream(_ stream: HTTP2Stream) {
    calls[stream.id] = nil
    clock.setCallCount(calls.count, at: core.loop.now)
  }

  func sessionDidReceiveSettings() { clock.receiveSettings() }

  func sessionDidReceivePing(isAnswer: Bool) {
    if isAnswer {
      guard isRetiring, let connection, connection.isHeldOpen else { return }
      connection.isHeldOpen = false
      connection.session.goAway(code: HTTP2Code.noError, message: "")
    } else if !pings.ping(at: core.loop.now) {
      abuse("too_many_pings")
    }
  }

  func sessionDidReceiveGoAway(code: UInt32, lastStream: Int32, message: String) {}

  func sessionDidSendForCall() { pings.sent() }

  func sessionDidReceiveUselessFrame() {
    if !floods.frame(at: core.loop.now) { abuse("too_many_frames") }
  }

  func sessionDidOverflow() { abuse("header_list_too_long") }
}
