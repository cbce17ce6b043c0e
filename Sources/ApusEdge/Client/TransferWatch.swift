// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import Synchronization

/// Ends a transfer that makes no progress, however long one that does may take.
final class TransferWatch: Sendable {
  private struct State {
    var count = 0
    var stall: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  /// Something came or went.
  func advance() { state.withLock { $0.count += 1 } }

  /// What to do when nothing does any more.
  func onStall(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.stall = body } }

  private var count: Int { state.withLock { $0.count } }

  /// Runs a transfer.
  ///
  /// - Parameters:
  ///   - limit: how long nothing may happen.
  ///   - body: the transfer, which tells the watch of its progress.
  /// - Returns: what the transfer gives.
  /// - Throws: what the transfer throws; `deadlineExceeded` where it stood still.
  static func watching<Value: Sendable>(
    limit: Duration, _ body: @escaping @Sendable (TransferWatch) async throws(RPCError) -> Value
  ) async throws(RPCError) -> Value {
    let watch = TransferWatch()
    let guardian = Task {
      var last = watch.count
      while (try? await Task.sleep(for: limit)) != nil {
        let count = watch.count
        if count == last {
          watch.state.withLock { $0.stall }?()
          return
        }
        last = count
      }
    }
    defer { guardian.cancel() }
    return try await body(watch)
  }
}
