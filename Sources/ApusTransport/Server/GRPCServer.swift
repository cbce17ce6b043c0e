// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// Serves calls over gRPC, HTTP/2 and TLS 1.3 on one port, with one thread for all connections; handlers run
/// elsewhere.
package final class GRPCServer: Sendable {
  private let configuration: ServerConfiguration
  private let identify: @Sendable ([UInt8]) throws -> PeerIdentity
  private let loop: EventLoop
  private let core: ServerCore
  private let published = PublishedStatistics()

  /// - Parameters:
  ///   - configuration: where it listens, and what it shows and allows.
  ///   - handler: answers all calls.
  ///   - identify: whom a client certificate (DER), which is already verified, belongs to; what it throws refuses
  ///     the connection.
  /// - Throws: `certificate` for material that cannot be used.
  package init(
    _ configuration: ServerConfiguration, handler: any CallHandler,
    identify: @escaping @Sendable ([UInt8]) throws -> PeerIdentity
  ) throws(TransportError) {
    self.configuration = configuration
    self.identify = identify
    let tls = try TLSContext.server(
      configuration.material, clientAuthorities: configuration.clientAuthorities, identify: identify
    )
    loop = try EventLoop()
    core = ServerCore(
      on: loop, configuration: configuration, tls: tls, handler: handler, identify: identify,
      statistics: published)
  }

  deinit {
    // One that was not stopped: its loop still has work that uses the core.
    let (loop, core) = (loop, core)
    loop.post { core.closeAll() }
    Task { await loop.stop() }
  }

  /// Begins to listen; raises the process's limit of open files to what the limit of connections asks for, as far as
  /// the system lets it.
  ///
  /// - Returns: the port.
  /// - Throws: `address` where it is not to be had.
  package func start() async throws(TransportError) -> Int {
    FileLimit.raise(to: configuration.limits.connections + 512)
    let result = await withCheckedContinuation { continuation in
      let isAccepted = loop.post { [core, configuration] in
        core.listen(host: configuration.host, port: configuration.port) {
          continuation.resume(returning: $0)
        }
      }
      guard !isAccepted else { return }
      continuation.resume(
        returning: Result<Int, TransportError>.failure(
          TransportError(.system, "The server was stopped; make another one.")))
    }
    return try result.get()
  }

  /// Shows other certificates to connections that come from now on.
  package func reload(_ material: TLSMaterial) async throws(TransportError) {
    let tls = try TLSContext.server(
      material, clientAuthorities: configuration.clientAuthorities, identify: identify)
    _ = await loop.run { [core] in core.tls = tls }
  }

  /// Takes no more connections and calls, lets calls end, and returns when all clients have gone or `limit` is over.
  package func drain(within limit: Duration) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let isAccepted = loop.post { [core] in core.drain(grace: limit) { continuation.resume() } }
      if !isAccepted { continuation.resume() }
    }
  }

  /// Closes all connections and ends the thread.
  package func stop() async {
    _ = await loop.run { [core] in core.closeAll() }
    await loop.stop()
  }

  /// What it has seen and has now.
  package var statistics: ServerStatistics { published.current }
}
