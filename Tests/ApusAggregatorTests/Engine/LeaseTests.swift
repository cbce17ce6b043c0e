// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusRounds
import ApusWire
import Foundation
import Testing

@testable import ApusAggregator

@Suite struct LeaseTests {
  /// Streams and assignments of some devices, which are all invited.
  private func invited(
    _ devices: [TestDevice]
  ) async throws -> [(stream: ReplyStream<Proto.AssignmentEvent>, assignment: Proto.Assignment)] {
    var streams: [ReplyStream<Proto.AssignmentEvent>] = []
    for device in devices {
      let stream = try await device.wait()
      // The first event says that the device is known to wait.
      _ = try await stream.next()
      streams.append(stream)
    }
    if let federation = devices.first?.federation {
      // To look who is there, and to begin with those.
      await federation.pass(.milliseconds(50))
      await federation.pass(.milliseconds(50))
    }
    var invited: [(ReplyStream<Proto.AssignmentEvent>, Proto.Assignment)] = []
    for stream in streams { invited.append((stream, try await stream.nextAssignment())) }
    return invited
  }

  @Test("A round that misses its quorum is abandoned and tried again, and nothing counts twice")
  func quorumMissed() async throws {
    let federation = try await Federation.started(devices: 2, time: ManualTime())
    let coordinator = TestCoordinator(of: federation)
    let task = try await coordinator.create(
      try SmallTask.spec(rounds: 1, cohort: 2) { $0.cohort?.reportMs = 60_000 })
    let devices = (0..<2).map { TestDevice($0, of: federation) }
    let first = try await invited(devices)
    let key = [UInt8](repeating: 7, count: 16)
    let update = try await devices[0].learn(first[0].assignment)
    let verdict = try await devices[0].submit(update, for: first[0].assignment, key: key).verdict
    #expect(verdict == .accepted)
    // The other one says nothing but that it lives.
    for _ in 0..<4 {
      await federation.pass(.seconds(15))
      for number in 0..<2 { _ = try? await devices[number].keepAlive(first[number].assignment) }
    }
    try await coordinator.follow(task.taskId) { $0.round?.abandonment == "quorum-missed" }
    await federation.pass(.milliseconds(50))
    for number in 0..<2 {
      let next = try await first[number].stream.nextAssignment()
      #expect(next.round == 0 && next.randomKey == first[number].assignment.randomKey)
      // What was learned in the first attempt may be handed in again, under the same key.
      let again =
        number == 0
        ? try await devices[0].submit(update, for: next, key: key)
        : try await devices[1].learnAndSubmit(next)
      #expect(again.verdict == .accepted)
    }
    let info = try await coordinator.finish(task.taskId)
    #expect(info.roundsAbandoned == 1)
    let expected = try RoundTests.expected(devices: [0, 1], rounds: 1, seed: 5, cohort: 2)
    #expect(info.model?.modelDigest == expected.digestBytes)
    #expect(try await coordinator.rounds(task.taskId).map(\.attempt) == [1, 2])
    await federation.end()
  }

  @Test("A task fails when too many rounds in a row are abandoned")
  func abandonmentLimit() async throws {
    let federation = try await Federation.started(devices: 1, time: ManualTime())
    let coordinator = TestCoordinator(of: federation)
    let task = try await coordinator.create(
      try SmallTask.spec(rounds: 1, cohort: 1) {
        $0.cohort?.reportMs = 10_000
        $0.cohort?.abandonmentLimit = 2
      })
    let one = try await invited([TestDevice(0, of: federation)])
    await federation.pass(.seconds(10))
    await federation.pass(.milliseconds(50))
    _ = try await one[0].stream.nextAssignment()
    await federation.pass(.seconds(10))
    let info = try await coordinator.finish(task.taskId)
    #expect(info.state == .failed && info.roundsAbandoned == 2)
    #expect(info.problem.contains("quorum-missed"))
    await federation.end()
  }

  @Test("After the deadline a round goes on with what it has, and who is late is not needed")
  func late() async throws {
    let federation = try await Federation.started(devices: 2, time: ManualTime())
    let coordinator = TestCoordinator(of: federation)
    let task = try await coordinator.create(
      try SmallTask.spec(rounds: 1, cohort: 2) {
        $0.cohort?.minimum = 1
        $0.cohort?.reportMs = 10_000
      })
    let devices = (0..<2).map { TestDevice($0, of: federation) }
    let both = try await invited(devices)
    let late = try await devices[1].learn(both[1].assignment)
    #expect(try await devices[0].learnAndSubmit(both[0].assignment).verdict == .accepted)
    await federation.pass(.seconds(10))
    let info = try await coordinator.finish(task.taskId)
    #expect(info.state == .completed && info.model?.contributionCount == 1)
    #expect(try await devices[1].submit(late, for: both[1].assignment).verdict == .notNeeded)
    await federation.end()
  }

  @Test("Where that is the policy, a deadline is put off once while the quorum is missed")
  func extended() async throws {
    let federation = try await Federation.started(devices: 2, time: ManualTime())
    let coordinator = TestCoordinator(of: federation)
    let task = try await coordinator.create(
      try SmallTask.spec(rounds: 1, cohort: 2) {
        $0.cohort?.late = .extend
        $0.cohort?.reportMs = 10_000
      })
    let devices = (0..<2).map { TestDevice($0, of: federation) }
    let both = try await invited(devices)
    #expect(try await devices[0].learnAndSubmit(both[0].assignment).verdict == .accepted)
    await federation.pass(.seconds(10))
    try await coordinator.follow(task.taskId) { $0.message.contains("put off") }
    #expect(try await devices[1].learnAndSubmit(both[1].assignment).verdict == .accepted)
    let info = try await coordinator.finish(task.taskId)
    #expect(info.model?.contributionCount == 2 && info.roundsAbandoned == 0)
    await federation.end()
  }

  @Test("A lease that is not kept alive ends, is counted as lost, and may be had again")
  func loss() async throws {
    let federation = try await Federation.started(devices: 2, time: ManualTime())
    let coordinator = TestCoordinator(of: federation)
    let task = try await coordinator.create(
      try SmallTask.spec(rounds: 1, cohort: 2) {
        $0.cohort?.minimum = 1
        $0.cohort?.reportMs = 600_000
      })
    let devices = (0..<2).map { TestDevice($0, of: federation) }
    let both = try await invited(devices)
    // One keeps its lease alive, the other does not.
    await federation.pass(.seconds(40))
    let reply = try await devices[0].keepAlive(both[0].assignment)
    #expect(reply.instruction == .continue && reply.leaseMs == 60_000)
    await federation.pass(.seconds(30))
    await federation.pass(.seconds(1))
    let again = try await both[1].stream.nextAssignment()
    #expect(again.leaseId != both[1].assignment.leaseId && again.round == 0)
    let error = await #expect(throws: RPCError.self) {
      try await devices[1].learnAndSubmit(both[1].assignment)
    }
    #expect(error?.reason == "lease-over")
    // The round waits for it again: the other one's update does not close it.
    #expect(try await devices[0].learnAndSubmit(both[0].assignment).verdict == .accepted)
    #expect(try await devices[1].learnAndSubmit(again).verdict == .accepted)
    #expect(try await coordinator.finish(task.taskId).model?.contributionCount == 2)
    let counts = try await federation.store.read { try $0.counts(ofDevice: 1) }
    #expect(counts.lost == 1)
    await federation.end()
  }

  @Test("A device that gives its work back gets it again after a while")
  func givenBack() async throws {
    let federation = try await Federation.started(devices: 2, time: ManualTime())
    let coordinator = TestCoordinator(of: federation)
    _ = try await coordinator.create(
      try SmallTask.spec(rounds: 1, cohort: 2) { $0.cohort?.minimum = 1 })
    let devices = (0..<2).map { TestDevice($0, of: federation) }
    let both = try await invited(devices)
    _ = try await devices[1].channel.call(
      EdgeMethods.abandon,
      Proto.AbandonRequest {
        $0.leaseId = both[1].assignment.leaseId
        $0.epoch = both[1].assignment.epoch
        $0.reason = "not-idle"
      }, timeout: .seconds(5))
    await federation.pass(.seconds(1))
    let again = try await both[1].stream.nextAssignment()
    #expect(again.leaseId != both[1].assignment.leaseId && again.round == 0)
    await federation.end()
  }

  @Test("A device that is not enrolled, and one that is disabled, get nothing")
  func strangers() async throws {
    let federation = try await Federation.started(devices: 1, time: ManualTime())
    let coordinator = TestCoordinator(of: federation)
    let error = await #expect(throws: RPCError.self) {
      try await TestDevice(9, of: federation).checkIn()
    }
    #expect(error?.code == .permissionDenied)
    let device = TestDevice(0, of: federation)
    let task = try await coordinator.create(try SmallTask.spec(cohort: 1))
    let one = try await invited([device])
    await federation.engine.note(
      0, id: Federation.id(0), facts: Eligibility.Device(number: 0, isEnabled: false))
    // Its round came to nothing by that.
    #expect(try await device.learnAndSubmit(one[0].assignment).verdict == .notNeeded)
    try await coordinator.follow(task.taskId) { $0.round?.attempt == 2 }
    await federation.pass(.seconds(1))
    #expect(try await coordinator.task(task.taskId).round?.state == .planned)
    await federation.end()
  }

  @Test("Going down, the aggregator says when to come back, and the next one goes on")
  func draining() async throws {
    let first = try await Federation.started(devices: 2, time: ManualTime())
    let task = try await TestCoordinator(of: first).create(
      try SmallTask.spec(rounds: 1, cohort: 2))
    let devices = (0..<2).map { TestDevice($0, of: first) }
    let both = try await invited(devices)
    #expect(try await devices[0].learnAndSubmit(both[0].assignment).verdict == .accepted)
    await first.engine.drain(grace: .zero)
    var isSentAway = false
    while let event = try await both[1].stream.next() {
      if case .goodbye? = event.event { isSentAway = (event.retry?.maxMs ?? 0) > 0 }
    }
    #expect(isSentAway)
    let error = await #expect(throws: RPCError.self) { try await devices[0].checkIn() }
    #expect(error?.code == .unavailable && error?.retryAfter != nil)

    let second = try await first.restarted()
    let other = TestDevice(1, of: second)
    let next = try await other.assignmentByAsking()
    #expect(try await other.learnAndSubmit(next).verdict == .accepted)
    let info = try await TestCoordinator(of: second).finish(task.taskId)
    let expected = try RoundTests.expected(devices: [0, 1], rounds: 1, seed: 5, cohort: 2)
    #expect(info.model?.modelDigest == expected.digestBytes)
    await second.end()
  }
}
