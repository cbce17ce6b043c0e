// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusNumerics
import ApusWire
import Foundation
import Testing

@testable import ApusAggregator

@Suite struct RecoveryTests {
  @Test("Before recovery is done every call is answered UNAVAILABLE, with a time to come back")
  func notServing() async throws {
    let federation = try await Federation(devices: 1)
    let error = await #expect(throws: RPCError.self) {
      try await TestDevice(0, of: federation).checkIn()
    }
    #expect(error?.code == .unavailable)
    #expect(error?.retryAfter != nil)
    let other = await #expect(throws: RPCError.self) {
      try await TestCoordinator(of: federation).task("x")
    }
    #expect(other?.code == .unavailable)
    await federation.end()
  }

  @Test("A round that waits for devices goes on waiting after a restart, as the same attempt")
  func planned() async throws {
    let first = try await Federation.started(devices: 1)
    let task = try await TestCoordinator(of: first).create(
      try SmallTask.spec(rounds: 1, cohort: 1))
    let second = try await first.restarted()
    let worker = Task { await TestDevice(0, of: second).work() }
    let info = try await TestCoordinator(of: second).finish(task.taskId)
    #expect(info.state == .completed && info.roundsAbandoned == 0)
    #expect(second.engine.epoch == first.engine.epoch + 1)
    worker.cancel()
    await second.end()
  }

  @Test("Updates that were acknowledged are counted after restarts, once, and no others")
  func collecting() async throws {
    let first = try await Federation.started(devices: 3)
    let task = try await TestCoordinator(of: first).create(
      try SmallTask.spec(rounds: 1, cohort: 3))
    let devices = (0..<3).map { TestDevice($0, of: first) }
    var streams: [ReplyStream<Proto.AssignmentEvent>] = []
    for device in devices { streams.append(try await device.wait()) }
    var assignments: [Proto.Assignment] = []
    for stream in streams { assignments.append(try await stream.nextAssignment()) }
    let update = try await devices[0].learn(assignments[0])
    #expect(try await devices[0].submit(update, for: assignments[0]).verdict == .accepted)
    let unsent = try await devices[1].learn(assignments[1])

    let second = try await first.restarted()
    let again = (0..<3).map { TestDevice($0, of: second) }
    // What was acknowledged is known under its key, whatever the epoch.
    #expect(try await again[0].submit(update, for: assignments[0]).verdict == .duplicate)
    // What was not is refused under the old epoch, and not counted.
    let error = await #expect(throws: RPCError.self) {
      try await again[1].submit(unsent, for: assignments[1])
    }
    #expect(error?.code == .failedPrecondition && error?.reason == "stale-epoch")
    // It counts under the lease that the device gets for it, which is of the same round.
    let renewed = try await again[1].assignmentByAsking()
    #expect(renewed.leaseId != assignments[1].leaseId)
    #expect(renewed.round == assignments[1].round && renewed.model == assignments[1].model)
    #expect(try await again[1].submit(unsent, for: renewed).verdict == .accepted)

    let third = try await second.restarted()
    let last = TestDevice(2, of: third)
    #expect(try await last.learnAndSubmit(try await last.assignmentByAsking()).verdict == .accepted)
    let info = try await TestCoordinator(of: third).finish(task.taskId)
    let expected = try RoundTests.expected(devices: [0, 1, 2], rounds: 1, seed: 5, cohort: 3)
    #expect(info.model?.modelDigest == expected.digestBytes)
    #expect(info.model?.contributionCount == 3 && info.roundsAbandoned == 0)
    let rounds = try await TestCoordinator(of: third).rounds(task.taskId)
    #expect(rounds.map(\.attempt) == [1])
    await third.end()
  }

  @Test("A round that had all its updates is published by the next incarnation")
  func folding() async throws {
    let first = try await Federation.started(devices: 2)
    let task = try await TestCoordinator(of: first).create(
      try SmallTask.spec(rounds: 1, cohort: 2))
    let devices = (0..<2).map { TestDevice($0, of: first) }
    async let one = devices[0].assignmentByAsking()
    async let two = devices[1].assignmentByAsking()
    let assignments = try await [one, two]
    #expect(try await devices[0].learnAndSubmit(assignments[0]).verdict == .accepted)
    #expect(try await devices[1].learnAndSubmit(assignments[1]).verdict == .accepted)
    // Whatever was done of folding and publishing by now.
    let second = try await first.restarted()
    let info = try await TestCoordinator(of: second).finish(task.taskId)
    #expect(info.state == .completed)
    let expected = try RoundTests.expected(devices: [0, 1], rounds: 1, seed: 5, cohort: 2)
    #expect(info.model?.modelDigest == expected.digestBytes)
    #expect(try await TestCoordinator(of: second).models(task.taskId).map(\.version) == [1, 2])
    await second.end()
  }

  @Test("What is over stays over after a restart")
  func absorption() async throws {
    let first = try await Federation.started(devices: 1)
    let coordinator = TestCoordinator(of: first)
    let cancelled = try await coordinator.create(try SmallTask.spec("one", cohort: 1))
    _ = try await coordinator.call(CoordinatorMethods.cancelTask, cancelled.taskId)
    let second = try await first.restarted()
    let other = TestCoordinator(of: second)
    #expect(try await other.task("one").state == .cancelled)
    for method in [CoordinatorMethods.resumeTask, CoordinatorMethods.pauseTask] {
      let error = await #expect(throws: RPCError.self) {
        try await other.call(method, "one")
      }
      #expect(error?.code == .failedPrecondition)
    }
    guard case .notNeeded? = try await TestDevice(0, of: second).checkIn().answer else {
      Issue.record("A task that is over gives work.")
      return
    }
    await second.end()
  }

  @Test("A sum goes on from its checkpoint, to the same bits, and a damaged one is begun anew")
  func checkpoints() async throws {
    let federation = try await Federation.started(devices: 0)
    let bounds = ExactSum.Bounds(coordinate: 64, weight: 100, contributions: 20)
    let key = RoundKey(task: "t", round: 0, attempt: 1)
    let checkpoint = FoldCheckpoint(in: federation.directory + "/folds", for: key)
    func fold() -> RoundFold {
      RoundFold(
        parameterCount: 5000, bounds: bounds, rule: WeightedMean<ParameterVector>(),
        checkpoint: checkpoint, opening: { [blobs = federation.blobs] in try blobs.open($0) })
    }
    var items: [FoldItem] = []
    for device in 0..<11 {
      var random = RandomStream(seed: UInt64(device))
      let numbers = ParameterVector((0..<5000).map { _ in Float(random.normal()) })
      let blob = try await federation.blobs.write(numbers.littleEndianBytes)
      items.append(
        FoldItem(
          device: UInt64(device), blob: blob.digest, format: .float32, weight: device + 1))
    }
    let whole = fold()
    #expect(try whole.add(items).isEmpty)
    let expected = try #require(whole.takeMean())

    let before = fold()
    #expect(try before.add(Array(items[..<6])).isEmpty)
    try before.writeCheckpoint()
    let after = fold()
    let folded = after.restore(expecting: Set(0..<11))
    #expect(folded == Set(0..<6))
    #expect(try after.add(items.filter { !folded.contains($0.device) }).isEmpty)
    #expect(after.takeMean()?.digest == expected.digest)

    // Somebody is in it whose update is not expected.
    #expect(fold().restore(expecting: Set(1..<11)).isEmpty)
    // One bit is turned.
    var bytes = try [UInt8](Data(contentsOf: URL(filePath: checkpoint.path)))
    bytes[bytes.count / 2] ^= 1
    try Data(bytes).write(to: URL(filePath: checkpoint.path))
    #expect(fold().restore(expecting: Set(0..<11)).isEmpty)
    await federation.end()
  }
}
