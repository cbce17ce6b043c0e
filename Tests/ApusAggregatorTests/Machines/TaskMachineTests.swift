// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import Testing

@testable import ApusAggregator

@Suite struct TaskMachineTests {
  private final class Host {
    var machine: TaskMachine
    init(rounds: UInt64 = 3, limit: UInt64 = 2) {
      machine = TaskMachine(roundsWanted: rounds, abandonmentLimit: limit)
    }
    func play(_ event: TaskMachine.Event) throws -> [TaskMachine.Action] {
      try machine.handle(event)
    }
  }

  @Test("A task runs its rounds one after the other, and is completed with the last")
  func straightThrough() throws {
    let host = Host(rounds: 2)
    #expect(try host.play(.resume) == [.beginRound])
    #expect(try host.play(.resume) == [])
    #expect(try host.play(.roundPublished(isEnough: false)) == [.beginRound])
    #expect(try host.play(.roundPublished(isEnough: false)) == [])
    #expect(host.machine.state == .completed)
    #expect(host.machine.roundsPublished == 2)
  }

  @Test("A stop rule completes a task before its last round")
  func stopping() throws {
    let host = Host()
    _ = try host.play(.resume)
    #expect(try host.play(.roundPublished(isEnough: true)) == [])
    #expect(host.machine.state == .completed)
  }

  @Test("A paused task finishes its round and begins no other until it is resumed")
  func pausing() throws {
    let host = Host()
    _ = try host.play(.resume)
    #expect(try host.play(.pause) == [])
    #expect(try host.play(.roundPublished(isEnough: false)) == [])
    #expect(host.machine.state == .paused)
    #expect(try host.play(.resume) == [.beginRound])
  }

  @Test("Resumed while its round still runs, a task begins no second one")
  func resuming() throws {
    let host = Host()
    _ = try host.play(.resume)
    _ = try host.play(.pause)
    #expect(try host.play(.resume) == [])
  }

  @Test("An abandoned round is tried again, until too many in a row were")
  func abandonment() throws {
    let host = Host(limit: 2)
    _ = try host.play(.resume)
    #expect(try host.play(.roundAbandoned) == [.beginRound])
    #expect(try host.play(.roundPublished(isEnough: false)) == [.beginRound])
    #expect(try host.play(.roundAbandoned) == [.beginRound])
    #expect(try host.play(.roundAbandoned) == [])
    #expect(host.machine.state == .failed)
    #expect(host.machine.roundsAbandoned == 3)
  }

  @Test("Single rounds are launched while the task does not run, one at a time")
  func launching() throws {
    let host = Host()
    #expect(try host.play(.launchRound) == [.beginRound])
    #expect(throws: TaskMachine.Refusal.hasRound) { try host.play(.launchRound) }
    #expect(try host.play(.roundPublished(isEnough: false)) == [])
    #expect(host.machine.state == .created)
    _ = try host.play(.resume)
    #expect(throws: TaskMachine.Refusal.isRunning) { try host.play(.launchRound) }
  }

  @Test("Cancelled, a task ends its round; cancelled again, it stays so")
  func cancelling() throws {
    let host = Host()
    _ = try host.play(.resume)
    #expect(try host.play(.cancel) == [.abandonRound])
    #expect(try host.play(.roundAbandoned) == [])
    #expect(try host.play(.cancel) == [])
    #expect(host.machine.state == .cancelled)
  }

  @Test("A task that was not started cannot be paused")
  func pausingNothing() throws {
    #expect(throws: TaskMachine.Refusal.isNotRunning) { try Host().play(.pause) }
  }

  @Test("Terminal states absorb whatever comes")
  func absorption() throws {
    let events: [TaskMachine.Event] = [
      .resume, .pause, .cancel, .launchRound, .roundPublished(isEnough: false), .roundAbandoned,
      .fail,
    ]
    for (end, state) in [
      (TaskMachine.Event.cancel, TaskMachine.State.cancelled), (.fail, .failed),
      (.roundPublished(isEnough: true), .completed),
    ] {
      var random = RandomStream(seed: 3)
      let host = Host()
      _ = try host.play(.resume)
      _ = try host.play(end)
      for _ in 0..<50 {
        let actions = try? host.play(events[random.below(events.count)])
        #expect((actions ?? []).isEmpty)
        #expect(host.machine.state == state)
      }
      #expect(throws: TaskMachine.Refusal.isOver) { try host.play(.resume) }
    }
  }
}
