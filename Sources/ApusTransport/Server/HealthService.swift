// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire
internal import Synchronization

/// The standard health protocol: whether the server, as a whole or a service of it, takes calls.
///
/// > The protocol: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
package final class HealthService: Sendable {
  private struct State {
    var serving: [String: Bool] = [:]
    var watchers: [UInt64: AsyncStream<Void>.Continuation] = [:]
    var nextWatcher: UInt64 = 0
  }

  private let state: Mutex<State>

  /// Not serving as yet.
  ///
  /// - Parameter services: names of services beside the whole, which is the empty name.
  package init(services: [String] = []) {
    state = Mutex(
      State(serving: Dictionary(uniqueKeysWithValues: Set(services + [""]).map { ($0, false) })))
  }

  /// Says whether calls are taken: of all services, or of one.
  package func set(serving: Bool, service: String? = nil) {
    let watchers = state.withLock { state in
      for name in service.map({ [$0] }) ?? Array(state.serving.keys) {
        state.serving[name] = serving
      }
      return Array(state.watchers.values)
    }
    for watcher in watchers { watcher.yield() }
  }

  /// Takes part in a router.
  package func register(on router: inout CallRouter) {
    router.register(HealthMethods.check) { [self] request, _ throws(RPCError) in
      guard let status = status(of: request.service) else {
        throw RPCError(.notFound, "There is no service of that name.")
      }
      return status
    }
    router.register(streaming: HealthMethods.watch) {
      [self] request, _, sender throws(RPCError) in
      let (changes, id) = watch()
      defer { state.withLock { _ = $0.watchers.removeValue(forKey: id) } }
      var last: Proto.HealthCheckResponse?
      for await _ in changes {
        var status = status(of: request.service) ?? Proto.HealthCheckResponse()
        if status.status == .unknown { status.status = .serviceUnknown }
        if status != last { try await sender.send(status) }
        last = status
      }
      throw RPCError(.cancelled, "The watch was given up.")
    }
  }

  private func status(of service: String) -> Proto.HealthCheckResponse? {
    state.withLock { $0.serving[service] }.map { isServing in
      var reply = Proto.HealthCheckResponse()
      reply.status = isServing ? .serving : .notServing
      return reply
    }
  }

  /// Changes from now on; the present state is the first.
  private func watch() -> (changes: AsyncStream<Void>, id: UInt64) {
    let (stream, continuation) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let id = state.withLock { state in
      state.nextWatcher += 1
      state.watchers[state.nextWatcher] = continuation
      return state.nextWatcher
    }
    continuation.yield()
    return (stream, id)
  }
}
