// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusEdge
import ApusTransport
import ApusWire
import Foundation
import Testing

@testable import ApusAggregator

/// What a device's owner allows, and what a coordinator sees of it: real devices, over TLS.
@Suite(.timeLimit(.minutes(2))) struct DeviceLimitTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var code: String
    var epochs = 1
    var examples = SmallTask.table(seed: 0)
    var adjust: @Sendable (inout EdgePolicy) -> Void
  }

  static let cases = [
    // Enough to be invited: whether it is enough to train, the device finds out of the plan.
    Case(testDescription: "memory", code: "out-of-memory") { $0.memoryLimit = 300 },
    Case(testDescription: "time", code: "out-of-time", epochs: 100_000) {
      $0.timeLimit = .milliseconds(50)
    },
    Case(testDescription: "operations", code: "plan-refused") {
      $0.allowedOperations = ["softmax"]
    },
  ]

  @Test(
    "A plan beyond what a device's owner allows is given back with its code, and the coordinator sees it",
    arguments: cases)
  func givesBack(wanted: Case) async throws {
    let served = try await ServedAggregator(in: try StoreWorkplace())
    let state = try await served.join("one")
    var policy = EdgePolicy()
    wanted.adjust(&policy)
    let client = EdgeClient(examples: wanted.examples, state: state, policy: policy)
    let running = Task { try await client.run() }
    let coordinator = try served.coordinator()
    let task = try await coordinator.create(
      try SmallTask.spec(rounds: 1, cohort: 1) { spec in
        // Nobody else is there: each refusal is the end of an attempt.
        spec.cohort?.abandonmentLimit = 1
        spec.plan?.algorithm?.setLocalEpochs(wanted.epochs)
      })
    for await event in client.events {
      guard case .abandoned(_, let reason) = event else { continue }
      #expect(reason == wanted.code)
      break
    }
    var events: [Proto.TaskEvent] = []
    let stream = try await coordinator.stream(
      CoordinatorMethods.watchTask, Proto.WatchTaskRequest { $0.task = task.taskId },
      timeout: .seconds(60))
    while let event = try await stream.next() { events.append(event) }
    #expect(events.contains { $0.message == "A device gave its work back: \(wanted.code)." })
    let round = try #require(try await coordinator.rounds(task.taskId).first)
    #expect(round.givenBack == [wanted.code: 1] && round.dropped == 1 && round.accepted == 0)
    #expect(round.abandonment == "quorum-missed")
    client.stop()
    try await running.value
    await coordinator.close()
    await served.aggregator.drain()
    let log = try String(contentsOfFile: served.place.path("log"), encoding: .utf8)
    #expect(log.contains("\"reason\":\"\(wanted.code)\""))
  }

  @Test("A reason that is no code is kept as other, and there are only so many of them")
  func reasonsAreCodes() async throws {
    let federation = try await Federation.started(devices: 1, time: ManualTime())
    let coordinator = TestCoordinator(of: federation)
    let task = try await coordinator.create(
      try SmallTask.spec(rounds: 1, cohort: 1) {
        $0.cohort?.minimum = 0
        $0.cohort?.abandonmentLimit = 3
      })
    let device = TestDevice(0, of: federation)
    for reason in ["no\nlog \"line\"", String(repeating: "a", count: 41), "own-reason-7"] {
      let stream = try await device.wait()
      _ = try await stream.next()
      await federation.pass(.seconds(1))
      await federation.pass(.seconds(1))
      let assignment = try await stream.nextAssignment()
      _ = try await device.channel.call(
        EdgeMethods.abandon,
        Proto.AbandonRequest {
          $0.leaseId = assignment.leaseId
          $0.epoch = assignment.epoch
          $0.reason = reason
        }, timeout: .seconds(5))
    }
    #expect(try await coordinator.finish(task.taskId).state == .failed)
    let codes = try await coordinator.rounds(task.taskId).map(\.givenBack)
    #expect(codes == [["other": 1], ["other": 1], ["own-reason-7": 1]])
    await federation.end()
  }
}

extension Proto.Algorithm {
  fileprivate mutating func setLocalEpochs(_ count: Int) {
    guard case .fedavg(var algorithm)? = kind else { return }
    algorithm.localEpochs = UInt32(count)
    kind = .fedavg(algorithm)
  }
}
