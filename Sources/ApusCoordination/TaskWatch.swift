// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// What happens to a task, event by event, whatever happens to the way to the aggregator.
///
/// Events come once each and in order: after an interruption the aggregator is asked for those that follow the
/// last one that came.
package actor TaskWatch {
  /// Why events are late, for the person who waits.
  package typealias Interruption = @Sendable (_ reason: CoordinationError) -> Void

  private let client: CoordinatorClient
  private let task: String
  private let patience: Duration
  private let onInterruption: Interruption
  private var stream: ReplyStream<Proto.TaskEvent>?
  /// The last event that came.
  package private(set) var sequence: UInt64
  private var isOver = false

  /// - Parameters:
  ///   - client: to whom.
  ///   - task: its id or its name.
  ///   - sequence: the last event that the caller has; 0 for all.
  ///   - patience: how long an aggregator that cannot be reached is tried again.
  ///   - onInterruption: told of every failure that is tried again.
  package init(
    _ client: CoordinatorClient, task: String, after sequence: UInt64 = 0,
    patience: Duration = .seconds(120), onInterruption: @escaping Interruption = { _ in }
  ) {
    self.client = client
    self.task = task
    self.sequence = sequence
    self.patience = patience
    self.onInterruption = onInterruption
  }

  /// The next event; nil when the task is over and all its events have come.
  ///
  /// - Throws: ``CoordinationError``; `unreachable` where the aggregator was away for longer than the patience.
  package func next() async throws(CoordinationError) -> Proto.TaskEvent? {
    var delay = Duration.milliseconds(100)
    var deadline: ContinuousClock.Instant?
    while !isOver {
      do throws(RPCError) {
        if let event = try await nextOfStream() { return event }
        if isOver { return nil }
        // The stream ends with the task, whose last event the caller may have had before; or the
        // aggregator goes down.
        let info = try await client.channel.call(
          CoordinatorMethods.getTask, Proto.TaskRef { $0.task = task }, timeout: client.timeout)
        if info.state.isTerminal, info.eventSequence <= sequence {
          isOver = true
          return nil
        }
        throw RPCError(.unavailable, "it ended the stream of events")
      } catch {
        stream = nil
        let reason = CoordinationError(error, from: client.address)
        let end = deadline ?? ContinuousClock.now + patience
        deadline = end
        guard Self.passes(error), ContinuousClock.now < end, !Task.isCancelled else {
          throw reason
        }
        onInterruption(reason)
        if (try? await Task.sleep(for: error.delayBeforeRetry ?? delay)) == nil { throw reason }
        delay = min(delay * 2, .seconds(5))
      }
    }
    return nil
  }

  private func nextOfStream() async throws(RPCError) -> Proto.TaskEvent? {
    while true {
      let stream: ReplyStream<Proto.TaskEvent>
      if let open = self.stream {
        stream = open
      } else {
        stream = try await client.channel.stream(
          CoordinatorMethods.watchTask,
          Proto.WatchTaskRequest {
            $0.task = task
            $0.afterSequence = sequence
          }, timeout: nil)
        self.stream = stream
      }
      guard let event = try await stream.next() else {
        self.stream = nil
        return nil
      }
      // One that came before the way was interrupted.
      guard event.sequence > sequence else { continue }
      sequence = event.sequence
      if event.state.isTerminal { isOver = true }
      return event
    }
  }

  /// Gives up; `next` that waits throws.
  package func cancel() {
    stream?.cancel()
    stream = nil
    isOver = true
  }

  private static func passes(_ error: RPCError) -> Bool {
    [.unavailable, .aborted, .resourceExhausted, .deadlineExceeded, .internal, .unknown]
      .contains(error.code)
  }
}
