// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Messages on their way from one side of a call in this process to the other, first in, first out.
///
/// One task puts them in and one takes them out. When it is closed, the one who takes gets what is still there
/// and then how it ended; unless what is there is to be dropped.
final class Mailbox: Sendable {
  /// Bytes that may wait before the sender waits too.
  private static let room = 1 << 20

  private typealias Receiver = CheckedContinuation<Result<[UInt8]?, RPCError>, Never>

  private struct State {
    var messages: [[UInt8]] = []
    /// How many of them have been taken; they are removed now and then.
    var taken = 0
    var size = 0
    var end: Result<Void, RPCError>?
    var receiver: Receiver?
    var sender: CheckedContinuation<Void, Never>?

    /// What a receiver gets now; nil where it has to wait.
    mutating func take() -> Result<[UInt8]?, RPCError>? {
      guard taken < messages.count else { return end.map { $0.map { nil } } }
      let message = messages[taken]
      messages[taken] = []
      taken += 1
      size -= message.count
      if taken == messages.count || taken == 64 {
        messages.removeFirst(taken)
        taken = 0
      }
      return .success(message)
    }
  }

  private let state = Mutex(State())

  func put(_ message: [UInt8]) {
    change {
      $0.messages.append(message)
      $0.size += message.count
    }
  }

  /// No more messages come; those that are there are taken first.
  func close(_ error: RPCError?) {
    change { if $0.end == nil { $0.end = error.map { .failure($0) } ?? .success(()) } }
  }

  /// Nobody wants the messages any more, those that are there neither.
  func fail(_ error: RPCError) {
    change {
      ($0.messages, $0.taken, $0.size) = ([], 0, 0)
      $0.end = .failure(error)
    }
  }

  /// The next message; nil at the end.
  func next() async throws(RPCError) -> [UInt8]? {
    let result = await withCheckedContinuation { continuation in
      change {
        precondition($0.receiver == nil, "one task at a time takes messages")
        $0.receiver = continuation
      }
    }
    return try result.get()
  }

  /// Returns when there is room for a message.
  func waitForRoom() async {
    await withCheckedContinuation { continuation in
      change {
        precondition($0.sender == nil, "one task at a time sends messages")
        $0.sender = continuation
      }
    }
  }

  /// Changes the state, and wakes whoever waited for that.
  private func change(_ body: (inout sending State) -> Void) {
    let (receiver, sender) = state.withLock { state in
      body(&state)
      var receiver: (continuation: Receiver, result: Result<[UInt8]?, RPCError>)?
      if let waiting = state.receiver, let result = state.take() {
        receiver = (waiting, result)
        state.receiver = nil
      }
      var sender: CheckedContinuation<Void, Never>?
      if state.size < Self.room || state.end != nil {
        sender = state.sender
        state.sender = nil
      }
      return (receiver, sender)
    }
    if let receiver { receiver.continuation.resume(returning: receiver.result) }
    sender?.resume()
  }
}
