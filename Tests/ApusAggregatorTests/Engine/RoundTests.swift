// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusNumerics
import ApusRounds
import ApusTraining
import ApusWire
import Foundation
import Testing

@testable import ApusAggregator

@Suite struct RoundTests {
  /// The model that a simulation of these devices has after some rounds.
  static func expected(
    devices: [Int], rounds: Int, seed: UInt64, cohort: Int
  ) throws -> ParameterVector {
    let program = try SmallTask.program()
    var server = Server(model: program.initialParameters(seed: seed), state: NoState())
    for round in 0..<rounds {
      var sum = try WeightedSum<ParameterVector>(
        lengths: [server.model.count],
        bounds: ExactSum.Bounds(coordinate: 64, weight: 100, contributions: cohort))
      for device in devices {
        let stream = RunStreams(seed: seed).training(of: device, inRound: round)
        let assignment = Proto.Assignment {
          $0.round = UInt64(round)
          $0.randomKey = stream.key
          $0.randomNonce = stream.nonce
        }
        let learned = try SmallTask.update(assignment, from: server.model, device: device)
        try sum.add(Weighted(learned.numbers, by: learned.weight), by: WeightedMean())
      }
      SmallTask.algorithm.serverUpdate(&server, with: try #require(sum.mean()))
      server.round += 1
    }
    return server.model
  }

  @Test("Three devices train two rounds, and the model is the simulator's, byte for byte")
  func twin() async throws {
    let federation = try await Federation.started(devices: 3)
    let coordinator = TestCoordinator(of: federation)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<3 {
        group.addTask { await TestDevice(number, of: federation).work() }
      }
      let task = try await coordinator.create(try SmallTask.spec(rounds: 2))
      #expect(task.state == .running)
      let info = try await coordinator.finish(task.taskId)
      #expect(info.state == .completed)
      #expect(info.roundsPublished == 2)
      group.cancelAll()

      let expected = try Self.expected(devices: [0, 1, 2], rounds: 2, seed: 5, cohort: 3)
      #expect(info.model?.modelDigest == expected.digestBytes)
      let models = try await coordinator.models(task.taskId)
      #expect(models.map(\.version) == [1, 2, 3])
      #expect(models.map(\.parent) == [0, 1, 2])
      #expect(models.map(\.contributionCount) == [0, 3, 3])
      let rounds = try await coordinator.rounds(task.taskId)
      #expect(rounds.map(\.state) == [.published, .published])
      #expect(rounds.map(\.accepted) == [3, 3])
      #expect(rounds.map(\.totalWeight) == [36, 36])
    }
    await federation.end()
  }

  @Test("Events are numbered without gaps, and can be followed from any of them")
  func events() async throws {
    let federation = try await Federation.started(devices: 1)
    let coordinator = TestCoordinator(of: federation)
    let worker = Task { await TestDevice(0, of: federation).work() }
    let task = try await coordinator.create(try SmallTask.spec(rounds: 2, cohort: 1))
    let events = try await coordinator.follow(task.taskId) { _ in false }
    #expect(events.map(\.sequence) == Array(1...UInt64(events.count)))
    #expect(events.first?.message == "The task is created.")
    #expect(events.last?.state == .completed)
    let published = events.filter { $0.model?.version ?? 0 > 1 }
    #expect(published.map { $0.model?.version } == [2, 3])
    let stream = try await coordinator.channel.stream(
      CoordinatorMethods.watchTask,
      Proto.WatchTaskRequest {
        $0.task = task.taskId
        $0.afterSequence = 4
      }, timeout: .seconds(60))
    #expect(try await stream.next()?.sequence == 5)
    worker.cancel()
    await federation.end()
  }

  @Test("An update that is sent again is one update; another one under its key is refused")
  func duplicates() async throws {
    let federation = try await Federation.started(devices: 2)
    let coordinator = TestCoordinator(of: federation)
    let (first, second) = (TestDevice(0, of: federation), TestDevice(1, of: federation))
    let task = try await coordinator.create(try SmallTask.spec(rounds: 1, cohort: 2))
    async let one = first.assignmentByAsking()
    async let two = second.assignmentByAsking()
    let (assignment, other) = try await (one, two)
    let update = try await first.learn(assignment)
    #expect(try await first.submit(update, for: assignment).verdict == .accepted)
    #expect(try await first.submit(update, for: assignment).verdict == .duplicate)
    var changed = update
    changed.weight += 1
    let error = await #expect(throws: RPCError.self) {
      try await first.submit(changed, for: assignment)
    }
    #expect(error?.code == .alreadyExists)
    // Under another key, the lease is over.
    let again = await #expect(throws: RPCError.self) {
      try await first.submit(changed, for: assignment, key: Array(repeating: 9, count: 16))
    }
    #expect(again?.code == .failedPrecondition)
    #expect(try await second.learnAndSubmit(other).verdict == .accepted)
    let info = try await coordinator.finish(task.taskId)
    #expect(info.model?.contributionCount == 2)
    let expected = try Self.expected(devices: [0, 1], rounds: 1, seed: 5, cohort: 2)
    #expect(info.model?.modelDigest == expected.digestBytes)
    // The round is over: the key still answers, and nothing is counted.
    #expect(try await first.submit(update, for: assignment).verdict == .duplicate)
    await federation.end()
  }

  @Test("What cannot be counted is rejected with its code, and the model is that of the others")
  func rejections() async throws {
    let count = UpdateCheck.Refusal.allCases.count
    var settings = Federation.settings
    settings.gathering = .seconds(20)
    let federation = try await Federation.started(devices: count + 1, settings: settings)
    let coordinator = TestCoordinator(of: federation)
    let spec = try SmallTask.spec(rounds: 1, cohort: count + 1) {
      $0.normBound = 50
      $0.cohort?.minimum = 1
    }
    let task = try await coordinator.create(spec)
    let devices = (0...count).map { TestDevice($0, of: federation) }
    var streams: [ReplyStream<Proto.AssignmentEvent>] = []
    for device in devices { streams.append(try await device.wait()) }
    for (number, refusal) in UpdateCheck.Refusal.allCases.enumerated() {
      let (device, assignment) = (devices[number], try await streams[number].nextAssignment())
      var update = try await device.learn(assignment)
      let length = Int(update.count)
      switch refusal {
      case .wrongLayout: update.layoutDigest = Array(repeating: 0, count: 32)
      case .wrongType: update.type = .bfloat16
      case .wrongLength: update.count += 1
      case .weightOutOfBounds: update.weight = 101
      case .notFinite:
        var numbers = ParameterVector(count: length)
        numbers[3] = .nan
        update = try await device.upload(numbers, weight: 1, for: assignment)
      case .outOfBounds:
        var numbers = ParameterVector(count: length)
        numbers[0] = -65
        update = try await device.upload(numbers, weight: 1, for: assignment)
      case .normBeyondBound:
        update = try await device.upload(
          ParameterVector(repeating: 20, count: length), weight: 1, for: assignment)
      }
      let reply = try await device.submit(update, for: assignment)
      #expect(reply.verdict == .rejected)
      #expect(reply.reason == refusal.rawValue)
      let again = try await device.submit(update, for: assignment)
      #expect(again.verdict == .rejected && again.reason == refusal.rawValue)
    }
    let assignment = try await streams[count].nextAssignment()
    #expect(try await devices[count].learnAndSubmit(assignment).verdict == .accepted)
    let info = try await coordinator.finish(task.taskId)
    #expect(info.state == .completed)
    #expect(info.model?.contributionCount == 1)
    let round = try #require(try await coordinator.rounds(task.taskId).first)
    #expect(round.rejected == UInt64(count))
    #expect(round.rejections.count == count)
    let expected = try Self.expected(devices: [count], rounds: 1, seed: 5, cohort: count + 1)
    #expect(info.model?.modelDigest == expected.digestBytes)
    await federation.end()
  }

  @Test("With over-selection the fastest are counted, and the others are not needed")
  func surplus() async throws {
    let federation = try await Federation.started(devices: 3)
    let coordinator = TestCoordinator(of: federation)
    let spec = try SmallTask.spec(rounds: 1, cohort: 2) {
      $0.cohort?.overSelection = 1.5
      $0.cohort?.minimum = 3
    }
    let task = try await coordinator.create(spec)
    let devices = (0..<3).map { TestDevice($0, of: federation) }
    var streams: [ReplyStream<Proto.AssignmentEvent>] = []
    for device in devices { streams.append(try await device.wait()) }
    var assignments: [Proto.Assignment] = []
    for stream in streams { assignments.append(try await stream.nextAssignment()) }
    let late = try await devices[2].learn(assignments[2])
    #expect(try await devices[0].learnAndSubmit(assignments[0]).verdict == .accepted)
    #expect(try await devices[1].learnAndSubmit(assignments[1]).verdict == .accepted)
    #expect(try await devices[2].submit(late, for: assignments[2]).verdict == .notNeeded)
    while let event = try await streams[2].next() {
      if case .cancelledLease(let lease)? = event.event {
        #expect(lease == assignments[2].leaseId)
        break
      }
    }
    let info = try await coordinator.finish(task.taskId)
    #expect(info.model?.contributionCount == 2)
    await federation.end()
  }
}
