// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Testing

@testable import ApusAggregator

/// Devices that are killed and come back, in rounds that cannot be without them.
@Suite struct LostDeviceTests {
  private typealias Stream = ReplyStream<Proto.AssignmentEvent>

  /// A stream of a device that waits.
  private func attach(_ device: TestDevice) async throws -> Stream {
    let stream = try await device.wait()
    _ = try await stream.next()
    return stream
  }

  /// Ends a device's stream, as its kill does, and waits until the aggregator knows it.
  private func kill(_ number: Int, _ stream: Stream, of federation: Federation) async throws {
    stream.cancel()
    for _ in 0..<1_000 {
      if await federation.engine.devices[UInt64(number)]?.waiter == nil { return }
      try await Task.sleep(for: .milliseconds(2))
    }
    throw TestDevice.Missing(what: "the end of the stream of device \(number)")
  }

  /// A task whose rounds need everybody, and its first round with both devices at work.
  private func begun(
    _ federation: Federation, minimum: Int = 2
  ) async throws -> (task: String, streams: [Stream], assignments: [Proto.Assignment]) {
    let task = try await TestCoordinator(of: federation).create(
      try SmallTask.spec(rounds: 1, cohort: 2) {
        $0.cohort?.minimum = UInt64(minimum)
        $0.cohort?.quorum = minimum == 2 ? 1 : 0
        $0.cohort?.reportMs = 600_000
      })
    var streams: [Stream] = []
    for number in 0..<2 { streams.append(try await attach(TestDevice(number, of: federation))) }
    await federation.pass(.milliseconds(50))
    await federation.pass(.milliseconds(50))
    var assignments: [Proto.Assignment] = []
    for stream in streams { assignments.append(try await stream.nextAssignment()) }
    return (task.taskId, streams, assignments)
  }

  private func expectBoth(_ info: Proto.TaskInfo) throws {
    let expected = try RoundTests.expected(devices: [0, 1], rounds: 1, seed: 5, cohort: 2)
    #expect(info.model?.modelDigest == expected.digestBytes)
    #expect(info.model?.contributionCount == 2 && info.roundsAbandoned == 0)
  }

  @Test("A device that is killed and starts again has its lease back at once")
  func atOnce() async throws {
    let federation = try await Federation.started(devices: 2, time: ManualTime())
    let (task, streams, assignments) = try await begun(federation)
    try await kill(1, streams[1], of: federation)
    // No time passes.
    let device = TestDevice(1, of: federation)
    let again = try await attach(device).nextAssignment()
    #expect(again.leaseId == assignments[1].leaseId)
    #expect(try await device.keepAlive(again).instruction == .continue)
    #expect(try await device.learnAndSubmit(again).verdict == .accepted)
    let other = TestDevice(0, of: federation)
    #expect(try await other.learnAndSubmit(assignments[0]).verdict == .accepted)
    try expectBoth(try await TestCoordinator(of: federation).finish(task))
    await federation.end()
  }

  @Test(
    "A killed device that comes back within the round is waited for and counted, in one attempt")
  func withinTheRound() async throws {
    let federation = try await Federation.started(devices: 2, time: ManualTime())
    let (task, streams, assignments) = try await begun(federation)
    let devices = (0..<2).map { TestDevice($0, of: federation) }
    try await kill(1, streams[1], of: federation)
    // Its lease ends; the other one's update comes, and does not close the round.
    for _ in 0..<4 {
      await federation.pass(.seconds(15))
      _ = try await devices[0].keepAlive(assignments[0])
    }
    #expect(await federation.engine.leases.count == 1)
    #expect(try await devices[0].learnAndSubmit(assignments[0]).verdict == .accepted)
    let round = try #require(try await TestCoordinator(of: federation).task(task).round)
    #expect(round.state == .collecting && round.attempt == 1)
    // It is back, and has a new lease for the same work before any time passes.
    let again = try await attach(devices[1]).nextAssignment()
    #expect(again.leaseId != assignments[1].leaseId && again.round == 0)
    #expect(again.randomKey == assignments[1].randomKey)
    #expect(try await devices[1].learnAndSubmit(again).verdict == .accepted)
    try expectBoth(try await TestCoordinator(of: federation).finish(task))
    await federation.end()
  }

  @Test("A device that was lost before a restart of the aggregator is waited for after it")
  func overARestart() async throws {
    let first = try await Federation.started(devices: 2, time: ManualTime())
    let (task, streams, assignments) = try await begun(first)
    try await kill(1, streams[1], of: first)
    await first.pass(.seconds(11))
    let update = try await TestDevice(0, of: first).learnAndSubmit(assignments[0])
    #expect(update.verdict == .accepted)
    let second = try await first.restarted()
    await second.pass(.seconds(61))
    let device = TestDevice(1, of: second)
    let again = try await attach(device).nextAssignment()
    #expect(try await device.learnAndSubmit(again).verdict == .accepted)
    let coordinator = TestCoordinator(of: second)
    try expectBoth(try await coordinator.finish(task))
    #expect(try await coordinator.rounds(task).map(\.attempt) == [1])
    await second.end()
  }

  @Test("Who was lost and came back is waited for after a restart too")
  func backOverARestart() async throws {
    let first = try await Federation.started(devices: 2, time: ManualTime())
    let (task, streams, assignments) = try await begun(first, minimum: 1)
    try await kill(1, streams[1], of: first)
    await first.pass(.seconds(11))
    // The round can be without it.
    try await TestCoordinator(of: first).follow(task) { $0.round?.dropped == 1 }
    _ = try await attach(TestDevice(1, of: first)).nextAssignment()
    let second = try await first.restarted()
    let devices = (0..<2).map { TestDevice($0, of: second) }
    let own = try await attach(devices[0]).nextAssignment()
    #expect(own.leaseId != assignments[0].leaseId)
    #expect(try await devices[0].learnAndSubmit(own).verdict == .accepted)
    let again = try await attach(devices[1]).nextAssignment()
    #expect(try await devices[1].learnAndSubmit(again).verdict == .accepted)
    try expectBoth(try await TestCoordinator(of: second).finish(task))
    await second.end()
  }

  @Test(
    "A lost device that a round cannot be without is waited for no longer than until another comes")
  func anotherComes() async throws {
    let federation = try await Federation.started(devices: 3, time: ManualTime())
    let (task, streams, _) = try await begun(federation)
    try await kill(1, streams[1], of: federation)
    // Its lease ends, and nobody else is here.
    await federation.pass(.seconds(11))
    await federation.pass(.seconds(30))
    let coordinator = TestCoordinator(of: federation)
    #expect(try await coordinator.task(task).round?.attempt == 1)
    let third = try await attach(TestDevice(2, of: federation))
    try await coordinator.follow(task) { $0.round?.attempt == 2 }
    await federation.pass(.milliseconds(50))
    await federation.pass(.milliseconds(50))
    let own = try await streams[0].nextAssignment()
    let other = try await third.nextAssignment()
    let devices = [TestDevice(0, of: federation), TestDevice(2, of: federation)]
    #expect(try await devices[0].learnAndSubmit(own).verdict == .accepted)
    #expect(try await devices[1].learnAndSubmit(other).verdict == .accepted)
    let info = try await coordinator.finish(task)
    #expect(info.roundsAbandoned == 1 && info.model?.contributionCount == 2)
    await federation.end()
  }

  @Test("Where others could take its place, a round without its quorum is tried again at once")
  func withOthers() async throws {
    let federation = try await Federation.started(devices: 3, time: ManualTime())
    let (task, streams, assignments) = try await begun(federation)
    let third = try await attach(TestDevice(2, of: federation))
    try await kill(1, streams[1], of: federation)
    await federation.pass(.seconds(11))
    let coordinator = TestCoordinator(of: federation)
    try await coordinator.follow(task) { $0.round?.attempt == 2 }
    await federation.pass(.milliseconds(50))
    await federation.pass(.milliseconds(50))
    let devices = [TestDevice(0, of: federation), TestDevice(2, of: federation)]
    let own = try await streams[0].nextAssignment()
    #expect(own.leaseId != assignments[0].leaseId)
    #expect(try await devices[0].learnAndSubmit(own).verdict == .accepted)
    let other = try await third.nextAssignment()
    #expect(try await devices[1].learnAndSubmit(other).verdict == .accepted)
    let info = try await coordinator.finish(task)
    #expect(info.roundsAbandoned == 1 && info.model?.contributionCount == 2)
    await federation.end()
  }
}
