// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import Synchronization

/// Ends a transfer that makes no progress, however long one that does may take.
final class TransferWatch: Sendable {
  private struct State {
    var count = 0
    /// Bytes that the call has moved, also of messages that are not through: these may take longer than the limit.
    var moved: (@Sendable () -> Int)?
    var stall: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  /// Something came or went.
  func advance() { state.withLock { $0.count += 1 } }

  /// What else is progress, and what to do when there is none any more.
  func follow(_ moved: @escaping @Sendable () -> Int, onStall body: @escaping @Sendable () -> Void)
  {
    state.withLock { state in
      state.moved = moved
      state.stall = body
    }
  }

  private var progress: [Int] {
    let (count, moved) = state.withLock { ($0.count, $0.moved) }
    return [count, moved?() ?? 0]
  }

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
      var last = watch.progress
      while (try? await Task.sleep(for: limit)) != nil {
        let progress = watch.progress
        if progress == last {
          watch.state.withLock { $0.stall }?()
          return
        }
        last = progress
      }
    }
    defer { guardian.cancel() }
    return try await body(watch)
  }
}
