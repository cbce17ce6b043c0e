// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import Synchronization

/// What a device that waits is to be told, in order.
///
/// The engine puts events in; the call that the device waits on takes them out.
final class WaitingDevice: Sendable {
  private struct State {
    var events: [Proto.AssignmentEvent] = []
    var isClosed = false
    var reader: CheckedContinuation<Proto.AssignmentEvent?, Never>?
  }

  let device: UInt64
  /// Whether it only waits for a moment, for a round that gathers devices.
  let isBrief: Bool
  private let state = Mutex(State())

  init(device: UInt64, isBrief: Bool = false) {
    self.device = device
    self.isBrief = isBrief
  }

  func put(_ event: Proto.AssignmentEvent) {
    let reader = state.withLock { state -> CheckedContinuation<Proto.AssignmentEvent?, Never>? in
      if state.isClosed { return nil }
      if let reader = state.reader {
        state.reader = nil
        return reader
      }
      // Who does not read hears no more heartbeats than one.
      if case .heartbeat? = event.event, !state.events.isEmpty { return nil }
      state.events.append(event)
      return nil
    }
    reader?.resume(returning: event)
  }

  /// No more events come; those that are there are still given out.
  func close() {
    let reader = state.withLock { state in
      state.isClosed = true
      let reader = state.reader
      state.reader = nil
      return reader
    }
    reader?.resume(returning: nil)
  }

  /// The next event, when there is one; nil when there will be none, or the task is cancelled.
  func next() async -> Proto.AssignmentEvent? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let event = state.withLock { state -> Proto.AssignmentEvent?? in
          if !state.events.isEmpty { return .some(state.events.removeFirst()) }
          if state.isClosed { return .some(nil) }
          state.reader = continuation
          return nil
        }
        if let event { continuation.resume(returning: event) }
      }
    } onCancel: {
      close()
    }
  }
}
