// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import Synchronization

/// A server's connections, on its loop's thread.
// Sendable: touched by its loop's thread only; other threads post.
final class ServerCore: @unchecked Sendable {
  let loop: EventLoop
  let limits: ServerLimits
  let options: HTTP2Options
  let handler: any CallHandler
  let pages: [String: @Sendable (Peer) async -> PlainPage]
  let identify: @Sendable ([UInt8]) throws -> PeerIdentity
  let onDistrust: @Sendable (String, String) -> Void
  let budget: WindowBudget
  var tls: TLSContext
  private var admission: Admission
  private var listener: Socket?
  private var connections: [ObjectIdentifier: ServerConnection] = [:]
  private(set) var isDraining = false
  private var whenEmpty: [() -> Void] = []
  var statistics = ServerStatistics() {
    didSet { publish() }
  }
  private let published: PublishedStatistics

  init(
    on loop: EventLoop, configuration: ServerConfiguration, tls: TLSContext,
    handler: any CallHandler, identify: @escaping @Sendable ([UInt8]) throws -> PeerIdentity,
    statistics: PublishedStatistics
  ) {
    self.loop = loop
    self.tls = tls
    self.handler = handler
    self.identify = identify
    limits = configuration.limits
    pages = configuration.pages
    onDistrust = configuration.onDistrust
    published = statistics
    budget = WindowBudget(limit: limits.byteBudget)
    admission = Admission(limits: limits)
    options = HTTP2Options(
      isServer: true, streams: limits.streamsPerConnection, window: limits.window,
      headerListSize: limits.headerListSize)
  }

  /// Begins to listen; `completion` gets the port.
  func listen(
    host: String, port: Int, completion: @escaping @Sendable (Result<Int, TransportError>) -> Void
  ) {
    SocketAddress.resolve(host, port: port, on: loop) { [self] found in
      completion(
        found.flatMap { addresses in
          Result { () throws(TransportError) in
            let socket = try Socket(on: loop)
            listener = socket
            return try socket.listen(at: addresses[0]) { [unowned self] in accept($0) }
          }
        })
    }
  }

  private func accept(_ socket: Socket) {
    statistics.acceptedConnections += 1
    guard let address = socket.remoteAddress, admission.connect(from: address.host) == .accepted
    else {
      statistics.refusedConnections += 1
      return socket.close()
    }
    do throws(TransportError) {
      let connection = try ServerConnection(socket, address: address, of: self)
      connections[ObjectIdentifier(connection)] = connection
      count()
      connection.start()
    } catch {
      admission.disconnect(from: address.host, duringHandshake: true)
      statistics.refusedConnections += 1
      socket.close()
    }
  }

  func didFinishHandshake() {
    admission.finishHandshake()
    count()
  }

  func remove(_ connection: ServerConnection, address: SocketAddress, duringHandshake: Bool) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    admission.disconnect(from: address.host, duringHandshake: duringHandshake)
    if duringHandshake { statistics.failedHandshakes += 1 }
    count()
    if connections.isEmpty {
      let waiting = whenEmpty
      whenEmpty = []
      for body in waiting { body() }
    }
  }

  /// Takes no more connections, asks all clients to go, and tells when they have; those that are there after
  /// `grace` are closed.
  func drain(grace: Duration, completion: @escaping @Sendable () -> Void) {
    isDraining = true
    listener?.close()
    listener = nil
    guard !connections.isEmpty else { return completion() }
    whenEmpty.append(completion)
    for connection in Array(connections.values) {
      connection.retire("shutdown", grace: grace)
    }
  }

  func closeAll() {
    isDraining = true
    listener?.close()
    listener = nil
    for connection in Array(connections.values) {
      connection.close(ConnectionLoss(.ended, "The server was stopped."))
    }
  }

  private func count() {
    statistics.connections = admission.connections
    statistics.handshakes = admission.handshakes
  }

  private func publish() {
    var statistics = statistics
    statistics.heldBytes = budget.held
    statistics.reservedBytes = budget.reserved
    published.set(statistics)
  }
}

/// Statistics that any thread may read.
final class PublishedStatistics: Sendable {
  private let value = Mutex(ServerStatistics())

  func set(_ statistics: ServerStatistics) { value.withLock { $0 = statistics } }

  var current: ServerStatistics { value.withLock { $0 } }
}
