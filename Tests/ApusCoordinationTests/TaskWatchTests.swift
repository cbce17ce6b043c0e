// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Synchronization
import Testing

@testable import ApusCoordination

/// An aggregator that breaks off now and then.
private final class FlakyAggregator: Sendable {
  struct State {
    /// What `after_sequence` callers gave.
    var asked: [UInt64] = []
    var isOver = false
  }

  let state = Mutex(State())
  /// Events until the way breaks.
  private let part: UInt64
  private let total: UInt64

  init(breakingEvery part: UInt64, of total: UInt64) {
    self.part = part
    self.total = total
  }

  var client: CoordinatorClient {
    var router = CallRouter()
    router.register(streaming: CoordinatorMethods.watchTask) {
      [self] request, _, sender async throws(RPCError) in
      let after = request.afterSequence
      state.withLock { $0.asked.append(after) }
      // The last event is sent again, as a server may that is not sure.
      for sequence in max(after, 1)...min(after + part, total) {
        try await sender.send(
          Proto.TaskEvent {
            $0.sequence = sequence
            $0.state = sequence == total ? .completed : .running
          })
      }
      if after + part >= total { return state.withLock { $0.isOver = true } }
      throw RPCError(.unavailable, "the way is broken", retryAfter: .milliseconds(1))
    }
    router.register(CoordinatorMethods.getTask) { [self] _, _ in
      let isOver = state.withLock(\.isOver)
      return Proto.TaskInfo {
        $0.state = isOver ? .completed : .running
        $0.eventSequence = isOver ? total : 0
      }
    }
    let peer = Peer(identity: nil, address: "test")
    return CoordinatorClient(
      channel: InProcessTransport(handler: router, peer: peer), address: "test")
  }
}

@Suite(.timeLimit(.minutes(1))) struct TaskWatchTests {
  @Test("Every event comes once and in order, however often the way breaks")
  func resumes() async throws {
    let aggregator = FlakyAggregator(breakingEvery: 3, of: 10)
    let interruptions = Mutex(0)
    let watch = TaskWatch(aggregator.client, task: "t") { _ in interruptions.withLock { $0 += 1 } }
    var sequences: [UInt64] = []
    while let event = try await watch.next() { sequences.append(event.sequence) }
    #expect(sequences == Array(1...10))
    // Events that were under way when it broke may be asked for again, earlier ones never.
    let asked = aggregator.state.withLock(\.asked)
    #expect(asked == asked.sorted() && asked.first == 0 && asked.count >= 4)
    #expect(interruptions.withLock { $0 } == asked.count - 1)
    #expect(try await watch.next() == nil)
  }

  @Test("Who has all events of a task that is over hears that it is")
  func endsWhereItIsOver() async throws {
    let aggregator = FlakyAggregator(breakingEvery: 100, of: 5)
    let first = TaskWatch(aggregator.client, task: "t")
    while try await first.next() != nil {}
    var router = CallRouter()
    router.register(streaming: CoordinatorMethods.watchTask) { _, _, _ in }
    router.register(CoordinatorMethods.getTask) { _, _ in
      Proto.TaskInfo {
        $0.state = .completed
        $0.eventSequence = 5
      }
    }
    let peer = Peer(identity: nil, address: "test")
    let client = CoordinatorClient(
      channel: InProcessTransport(handler: router, peer: peer), address: "test")
    #expect(try await TaskWatch(client, task: "t", after: 5).next() == nil)
  }

  @Test("An aggregator that stays away is given up; one that refuses is not asked again")
  func givesUp() async throws {
    let calls = Mutex(0)
    func client(_ code: StatusCode) -> CoordinatorClient {
      var router = CallRouter()
      router.register(raw: CoordinatorMethods.watchTask.path) { _ async throws(RPCError) in
        throw RPCError(code, "no")
      }
      return CoordinatorClient(
        channel: InProcessTransport(handler: router, peer: Peer(identity: nil, address: "test")),
        address: "test")
    }
    let away = TaskWatch(client(.unavailable), task: "t", patience: .milliseconds(300)) { _ in
      calls.withLock { $0 += 1 }
    }
    let unreachable = await #expect(throws: CoordinationError.self) { try await away.next() }
    #expect(unreachable?.code == .unreachable && calls.withLock { $0 } >= 1)
    let refused = TaskWatch(client(.permissionDenied), task: "t") { _ in Issue.record("again") }
    let refusal = await #expect(throws: CoordinationError.self) { try await refused.next() }
    #expect(refusal?.code == .refused && refusal?.isUnreachable == true)
  }
}
