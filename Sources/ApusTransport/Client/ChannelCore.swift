// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// A channel's connection and who waits for it, on the loop's thread.
// Sendable: touched by its loop's thread only; other threads post.
final class ChannelCore: @unchecked Sendable {
  /// A call that is to begin when there is a connection.
  struct Opening {
    let id: UInt64
    let path: String
    let metadata: Metadata
    let timeout: Duration?
    let begin: (Result<CallStream<ClientCallMachine>, RPCError>) -> Void
    var deadline: LoopTimer?
  }

  private enum State {
    case idle
    case connecting
    case ready(ClientConnection)
    case closed
  }

  let loop: EventLoop
  let limits: ChannelLimits
  let host: String
  let port: Int
  let tls: TLSContext
  let budget: WindowBudget
  let options: HTTP2Options
  private var state = State.idle
  private var waiting: [Opening] = []
  private var backoff: Backoff
  private var nextAttempt: UInt64 = 0
  private var attemptTimer: LoopTimer?
  /// Connections that are open, those that are to take no more calls included.
  private var connections: [ObjectIdentifier: ClientConnection] = [:]
  /// Set up by the server's complaint about pings.
  var keepaliveInterval: UInt64

  init(
    on loop: EventLoop, host: String, port: Int, tls: TLSContext, limits: ChannelLimits
  ) {
    self.loop = loop
    self.host = host
    self.port = port
    self.tls = tls
    self.limits = limits
    budget = WindowBudget(limit: limits.byteBudget)
    backoff = Backoff(
      first: limits.firstBackoff.milliseconds, limit: limits.backoffLimit.milliseconds)
    keepaliveInterval = UInt64(
      Double(limits.keepaliveInterval.milliseconds) * Double.random(in: 0.8...1.2))
    options = HTTP2Options(
      isServer: false, streams: 0, window: limits.window, headerListSize: limits.headerListSize)
  }

  var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Begins a call, on the connection that there is or on a new one.
  func open(_ opening: Opening) {
    switch state {
    case .ready(let connection): connection.begin(opening)
    case .closed: opening.begin(.failure(RPCError(.unavailable, "The channel was closed.")))
    case .idle, .connecting:
      var opening = opening
      if let timeout = opening.timeout {
        let id = opening.id
        let timer = LoopTimer { [weak self] _ in
          self?.giveUp(
            id,
            RPCError(
              .deadlineExceeded, "No connection to \(self?.authority ?? "") came about in time."))
        }
        opening.deadline = timer
        loop.schedule(timer, at: loop.now + timeout.milliseconds)
      }
      waiting.append(opening)
      connect()
    }
  }

  /// Ends a call that has not begun.
  func giveUp(_ id: UInt64, _ error: RPCError) {
    guard let place = waiting.firstIndex(where: { $0.id == id }) else { return }
    let opening = waiting.remove(at: place)
    if let timer = opening.deadline { loop.cancel(timer) }
    opening.begin(.failure(error))
  }

  func close() {
    state = .closed
    if let attemptTimer { loop.cancel(attemptTimer) }
    failWaiting(RPCError(.unavailable, "The channel was closed."))
    for connection in Array(connections.values) {
      connection.close(ConnectionLoss(.ended, "The channel was closed."))
    }
  }

  // MARK: Connecting

  private func connect() {
    guard case .idle = state else { return }
    state = .connecting
    guard nextAttempt > loop.now else { return attempt() }
    let timer = LoopTimer { [weak self] _ in self?.attempt() }
    attemptTimer = timer
    loop.schedule(timer, at: nextAttempt)
  }

  private func attempt() {
    guard case .connecting = state else { return }
    let timer = LoopTimer { [weak self] _ in
      self?.fail(RPCError(.unavailable, "\(self?.authority ?? "") did not answer in time."))
    }
    attemptTimer = timer
    loop.schedule(timer, at: loop.now + limits.connectTimeout.milliseconds)
    SocketAddress.resolve(host, port: port, on: loop) { [weak self] found in
      guard let self, self.isCurrent(timer) else { return }
      switch found {
      case .failure(let error): self.fail(RPCError(.unavailable, error.message))
      case .success(let addresses): self.dial(addresses[...], within: timer)
      }
    }
  }

  /// Whether the attempt that has this timer goes on.
  private func isCurrent(_ timer: LoopTimer) -> Bool {
    if case .connecting = state { attemptTimer === timer } else { false }
  }

  private func dial(_ addresses: ArraySlice<SocketAddress>, within timer: LoopTimer) {
    guard let address = addresses.first else { return }
    do throws(TransportError) {
      let socket = try Socket(on: loop)
      dialing = socket
      socket.connect(to: address) { [weak self] problem in
        guard let self, self.isCurrent(timer) else { return socket.close() }
        self.dialing = nil
        if let problem {
          socket.close()
          guard addresses.count > 1 else {
            return self.fail(
              RPCError(.unavailable, "\(self.authority) cannot be reached: \(problem)."))
          }
          return self.dial(addresses.dropFirst(), within: timer)
        }
        self.secure(socket)
      }
    } catch {
      fail(RPCError(.unavailable, error.message))
    }
  }

  private var dialing: Socket?

  private func secure(_ socket: Socket) {
    do throws(TransportError) {
      let connection = try ClientConnection(socket, of: self)
      connections[ObjectIdentifier(connection)] = connection
      connection.start()
    } catch {
      socket.close()
      fail(RPCError(.unavailable, error.message))
    }
  }

  /// The connection is there, and the server has said what it allows.
  func becomeReady(_ connection: ClientConnection) {
    guard case .connecting = state else { return }
    endAttempt()
    backoff.succeed()
    nextAttempt = 0
    state = .ready(connection)
    let openings = waiting
    waiting = []
    for opening in openings {
      if let timer = opening.deadline { loop.cancel(timer) }
      connection.begin(opening)
    }
  }

  /// The connection takes no more calls; those that are there may end.
  func retire(_ connection: ClientConnection) {
    if case .ready(let current) = state, current === connection { state = .idle }
  }

  func remove(_ connection: ClientConnection, _ loss: ConnectionLoss) {
    connections[ObjectIdentifier(connection)] = nil
    if case .connecting = state, !connection.wasReady {
      fail(loss.callError)
    }
    retire(connection)
  }

  private func endAttempt() {
    if let attemptTimer { loop.cancel(attemptTimer) }
    attemptTimer = nil
  }

  private func fail(_ error: RPCError) {
    guard case .connecting = state else { return }
    endAttempt()
    state = .idle
    nextAttempt = loop.now + backoff.fail(jitter: Double.random(in: -1...1))
    dialing?.close()
    dialing = nil
    for connection in Array(connections.values) where !connection.wasReady {
      connection.close(ConnectionLoss(.broken, error.message))
    }
    failWaiting(error)
  }

  private func failWaiting(_ error: RPCError) {
    let openings = waiting
    waiting = []
    for opening in openings {
      if let timer = opening.deadline { loop.cancel(timer) }
      opening.begin(.failure(error))
    }
  }
}
