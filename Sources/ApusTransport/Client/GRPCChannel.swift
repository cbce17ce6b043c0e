// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire
internal import Synchronization

/// A way to a server over gRPC, HTTP/2 and TLS 1.3: connects when there is a call, again after a loss with growing
/// pauses, and carries all calls over one connection.
package final class GRPCChannel: Channel {
  private let loop: EventLoop
  private let ownsLoop: Bool
  private let core: ChannelCore
  private let nextID = Atomic<UInt64>(0)

  /// - Parameters:
  ///   - host: a name or an address; it must be in the server's certificate.
  ///   - port: the server's.
  ///   - trust: which server is the right one.
  ///   - identity: what to show to the server; nil where the client has nothing yet.
  ///   - limits: what the server may do.
  ///   - loop: for many channels on one thread; nil for a thread of its own.
  /// - Throws: `certificate` for material that cannot be used.
  package init(
    host: String, port: Int, trust: PeerTrust, identity: TLSMaterial?,
    limits: ChannelLimits = ChannelLimits(), loop: EventLoop? = nil
  ) throws(TransportError) {
    let tls = try TLSContext.client(trust: trust, identity: identity)
    ownsLoop = loop == nil
    self.loop = if let loop { loop } else { try EventLoop() }
    core = ChannelCore(on: self.loop, host: host, port: port, tls: tls, limits: limits)
  }

  deinit {
    let (loop, core, ownsLoop) = (loop, core, ownsLoop)
    loop.post { core.close() }
    if ownsLoop { Task { await loop.stop() } }
  }

  package func open(
    _ path: String, metadata: Metadata, timeout: Duration?
  ) async throws(RPCError) -> any ClientCall {
    let id = nextID.wrappingAdd(1, ordering: .relaxed).newValue
    let result: Result<CallStream<ClientCallMachine>, RPCError> =
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let isAccepted = loop.post { [core] in
            core.open(
              ChannelCore.Opening(id: id, path: path, metadata: metadata, timeout: timeout) {
                continuation.resume(returning: $0)
              })
          }
          guard !isAccepted else { return }
          continuation.resume(
            returning: .failure(RPCError(.unavailable, "The channel was closed.")))
        }
      } onCancel: {
        loop.post { [core] in
          core.giveUp(id, RPCError(.cancelled, "The call was given up before it began."))
        }
      }
    return GRPCClientCall(try result.get())
  }

  package func close() async {
    _ = await loop.run { [core] in core.close() }
    if ownsLoop { await loop.stop() }
  }
}
