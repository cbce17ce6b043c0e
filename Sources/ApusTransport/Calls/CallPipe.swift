// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import Synchronization

/// What lies between a call's task and its stream on a loop: messages that came and are not taken, and how many bytes
/// are on their way out.
///
/// A lock and no hop: a task takes what is there and waits only for what is not.
final class CallPipe: Sendable {
  private struct State {
    var inbox: [[UInt8]] = []
    var isEnded = false
    var failure: RPCError?
    /// Bytes that were sent and that the connection has not taken.
    var outgoing = 0
    /// Bytes that were taken and that the stream has not been told of.
    var taken = 0
    var waiting = Waiting()
  }

  private enum End { case receiver, sender }

  /// The tasks that wait at each end: one, as a rule.
  private struct Waiting {
    private var receivers: [UnsafeContinuation<Void, Never>] = []
    private var senders: [UnsafeContinuation<Void, Never>] = []

    mutating func add(_ task: UnsafeContinuation<Void, Never>, at end: End) {
      if end == .receiver { receivers.append(task) } else { senders.append(task) }
    }

    mutating func take(_ end: End) -> [UnsafeContinuation<Void, Never>] {
      var taken: [UnsafeContinuation<Void, Never>] = []
      if end == .receiver { swap(&taken, &receivers) } else { swap(&taken, &senders) }
      return taken
    }
  }

  private let state = Mutex(State())
  /// How many bytes may be on their way out before a sender has to wait.
  private static let outgoingLimit = 256 << 10
  /// Bytes in front of every message.
  static let framing = 5

  // MARK: The task's side

  /// The next message, and whether the stream is to be told that bytes were taken.
  func receive() async throws(RPCError) -> (message: [UInt8]?, tellsStream: Bool) {
    while true {
      let next: Result<(message: [UInt8]?, tellsStream: Bool)?, RPCError> = state.withLock {
        state in
        if !state.inbox.isEmpty {
          let message = state.inbox.removeFirst()
          let tellsStream = state.taken == 0
          state.taken += message.count + Self.framing
          return .success((message, tellsStream))
        }
        if let failure = state.failure { return .failure(failure) }
        return .success(state.isEnded ? (nil, false) : nil)
      }
      if let found = try next.get() { return found }
      await wait(.receiver) { !$0.inbox.isEmpty || $0.isEnded || $0.failure != nil }
      if Task.isCancelled { try throwIfNothingCame() }
    }
  }

  /// Counts bytes that are to be sent.
  func willSend(_ count: Int) throws(RPCError) {
    let failure = state.withLock { state in
      state.outgoing += count + Self.framing
      return state.failure
    }
    if let failure { throw failure }
  }

  /// Returns when there is room for another message.
  func waitForRoom() async throws(RPCError) {
    let isReady: @Sendable (borrowing State) -> Bool = {
      $0.outgoing <= Self.outgoingLimit || $0.failure != nil
    }
    while true {
      let (ready, failure) = state.withLock { (isReady($0), $0.failure) }
      if let failure { throw failure }
      if ready { return }
      await wait(.sender, until: isReady)
      if Task.isCancelled, !state.withLock({ isReady($0) }) {
        throw RPCError(.cancelled, "The call was given up while a message waited for room.")
      }
    }
  }

  private func throwIfNothingCame() throws(RPCError) {
    let isEmpty = state.withLock { $0.inbox.isEmpty && !$0.isEnded && $0.failure == nil }
    if isEmpty {
      throw RPCError(.cancelled, "The call was given up while it waited for a message.")
    }
  }

  /// Waits until somebody wakes what waits, or the task is cancelled.
  private func wait(
    _ end: End,
    until isReady: @Sendable (borrowing State) -> Bool
  ) async {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        let isNow = state.withLock { state in
          guard !isReady(state), !Task.isCancelled else { return true }
          state.waiting.add(continuation, at: end)
          return false
        }
        if isNow { continuation.resume() }
      }
    } onCancel: {
      wake(end)
    }
  }

  private func wake(_ end: End) {
    // Each looks for itself whether it was meant.
    for task in state.withLock({ $0.waiting.take(end) }) { task.resume() }
  }

  // MARK: The stream's side

  func deliver(_ message: [UInt8]) {
    state.withLock { state in
      if state.failure == nil { state.inbox.append(message) }
    }
    wake(.receiver)
  }

  /// There are no more messages.
  func end() {
    state.withLock { $0.isEnded = true }
    wake(.receiver)
  }

  /// The call has ended so; `dropsMessages` where nobody wants what came before.
  func fail(_ error: RPCError, dropsMessages: Bool) {
    state.withLock { state in
      if state.failure == nil { state.failure = error }
      if dropsMessages { state.inbox = [] }
    }
    wake(.receiver)
    wake(.sender)
  }

  /// So many bytes have gone to the connection.
  func didSend(_ count: Int) {
    let hasRoom = state.withLock { state in
      state.outgoing -= count
      return state.outgoing <= Self.outgoingLimit
    }
    if hasRoom { wake(.sender) }
  }

  /// Bytes that were taken since this was asked last.
  func collectTaken() -> Int {
    state.withLock { state in
      defer { state.taken = 0 }
      return state.taken
    }
  }

  /// Whether the task has taken all that came.
  var isEmpty: Bool { state.withLock { $0.inbox.isEmpty } }
}
