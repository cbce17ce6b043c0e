// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A way to a server in the same process: the call machines of both sides, and no sockets between them.
///
/// What a call does here it does over TLS too: limits, deadlines, cancellation, statuses.
package final class InProcessTransport: Channel {
  private let handler: any CallHandler
  private let peer: Peer
  private let limits: CallLimits
  private let calls = Mutex<[ObjectIdentifier: InProcessCall]?>([:])

  /// - Parameters:
  ///   - handler: answers.
  ///   - peer: who the handler is told calls.
  ///   - limits: of both sides.
  package init(handler: any CallHandler, peer: Peer, limits: CallLimits = CallLimits()) {
    self.handler = handler
    self.peer = peer
    self.limits = limits
  }

  package func open(
    _ path: String, metadata: Metadata, timeout: Duration?
  ) async throws(RPCError) -> any ClientCall {
    let call = InProcessCall(
      path: path, metadata: metadata, timeout: timeout, peer: peer, limits: limits)
    let isOpen = calls.withLock {
      $0?[ObjectIdentifier(call)] = call
      return $0 != nil
    }
    guard isOpen else { throw RPCError(.unavailable, "the way to the server was closed") }
    call.start(handler: handler) { [weak self, id = ObjectIdentifier(call)] in
      self?.calls.withLock { _ = $0?.removeValue(forKey: id) }
    }
    return InProcessClientCall(call, of: self)
  }

  package func close() async {
    let open = calls.withLock { calls in
      defer { calls = nil }
      return calls ?? [:]
    }
    for call in open.values { call.breakConnection() }
  }
}
