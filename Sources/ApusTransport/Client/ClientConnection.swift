// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// A channel's connection to its server, on the loop's thread.
final class ClientConnection {
  private typealias Call = CallStream<ClientCallMachine>

  private unowned let core: ChannelCore
  private var connection: Connection?
  private var clock: KeepaliveClock
  private var timer: LoopTimer?
  /// Whether it has carried calls, or could have.
  private(set) var wasReady = false

  init(_ socket: Socket, of core: ChannelCore) throws(TransportError) {
    self.core = core
    clock = KeepaliveClock(
      interval: core.keepaliveInterval, timeout: core.limits.keepaliveTimeout.milliseconds,
      idleTimeout: core.limits.idleTimeout.milliseconds, now: core.loop.now)
    connection = try Connection(
      socket, tls: core.tls, options: core.options, host: core.host, owner: self)
    connection?.session.delegate = self
    timer = LoopTimer { [weak self] now in self?.tick(now) }
  }

  func start() { connection?.start() }

  func close(_ loss: ConnectionLoss) { connection?.close(loss) }

  func begin(_ opening: ChannelCore.Opening) {
    guard let connection, !connection.isClosed else {
      return opening.begin(.failure(RPCError(.unavailable, "The connection is closed.")))
    }
    let machine = ClientCallMachine(
      path: opening.path, authority: core.authority, metadata: opening.metadata,
      timeout: opening.timeout, limits: CallLimits(messageSize: core.limits.messageSize))
    let call = Call(machine, stream: nil, on: connection, budget: core.budget)
    call.setDeadline(opening.timeout)
    call.play { $0.start() }
    countCalls()
    opening.begin(.success(call))
  }

  private func countCalls() {
    guard let connection else { return }
    clock.setCallCount(connection.session.streams.count, at: core.loop.now)
    schedule()
  }

  private func schedule() {
    guard let timer, wasReady else { return }
    if !timer.isScheduled || clock.nextDue < timer.due {
      core.loop.schedule(timer, at: clock.nextDue)
    }
  }

  private func tick(_ now: UInt64) {
    guard let connection, !connection.isClosed else { return }
    switch clock.verdict(at: now) {
    case .ping:
      connection.session.ping()
      connection.setNeedsFlush()
    case .lost:
      return connection.close(ConnectionLoss(.broken, "The server does not answer any more."))
    case .idle:
      core.retire(self)
      connection.session.goAway(code: HTTP2Code.noError, message: "")
      return connection.setNeedsFlush()
    case nil: break
    }
    if let timer { core.loop.schedule(timer, at: max(clock.nextDue, now + 1)) }
  }
}

extension ClientConnection: ConnectionOwner {
  func connectionDidOpen(_ connection: Connection) { connection.setNeedsFlush() }

  func connectionDidClose(_ connection: Connection, _ loss: ConnectionLoss) {
    if let timer { core.loop.cancel(timer) }
    timer = nil
    self.connection = nil
    core.remove(self, loss)
  }

  func connectionDidHear(_ connection: Connection) {
    clock.hear(at: core.loop.now)
    // A ping that was answered puts the next moment earlier than the one at which its answer would be missed.
    schedule()
  }
}

extension ClientConnection: HTTP2SessionDelegate {
  func sessionIsReadingHeaders(_ isReading: Bool) {}

  func sessionConsumer(for stream: HTTP2Stream, headers: Metadata) -> (any StreamConsumer)? { nil }

  func sessionDidCloseStream(_ stream: HTTP2Stream) { countCalls() }

  func sessionDidReceiveSettings() {
    guard !wasReady else { return }
    wasReady = true
    clock.hear(at: core.loop.now)
    schedule()
    core.becomeReady(self)
  }

  func sessionDidReceivePing(isAnswer: Bool) {}

  func sessionDidReceiveGoAway(code: UInt32, lastStream: Int32, message: String) {
    if code == HTTP2Code.enhanceYourCalm, message == "too_many_pings" {
      core.keepaliveInterval *= 2
    }
    core.retire(self)
  }

  func sessionDidSendForCall() {}

  func sessionDidReceiveUselessFrame() {}

  func sessionDidOverflow() {
    connection?.close(ConnectionLoss(.violation, "The server's headers are too long."))
  }
}
