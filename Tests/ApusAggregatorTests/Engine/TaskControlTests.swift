// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusRounds
import ApusWire
import Testing

@testable import ApusAggregator

@Suite struct TaskControlTests {
  /// Runs devices for as long as a body takes.
  private func withDevices(
    _ numbers: [Int], of federation: Federation, _ body: () async throws -> Void
  ) async throws {
    let workers = numbers.map { number in
      Task { await TestDevice(number, of: federation).work() }
    }
    try await body()
    for worker in workers { worker.cancel() }
    await federation.end()
  }

  @Test("The same submit token is the same task, and not another one")
  func submitTokens() async throws {
    let federation = try await Federation.started(devices: 0)
    let coordinator = TestCoordinator(of: federation)
    let spec = try SmallTask.spec()
    let first = try await coordinator.create(spec, token: "a", start: false)
    let again = try await coordinator.create(spec, token: "a", start: false)
    #expect(first.taskId == again.taskId)
    #expect(first.state == .created)
    let error = await #expect(throws: RPCError.self) {
      try await coordinator.create(try SmallTask.spec("other"), token: "a")
    }
    #expect(error?.code == .alreadyExists)
    #expect(try await coordinator.create(spec, start: false).taskId != first.taskId)
    await federation.end()
  }

  @Test("A specification out of range is refused, naming the field")
  func limits() async throws {
    let federation = try await Federation.started(devices: 0)
    let coordinator = TestCoordinator(of: federation)
    let changes: [(String, (inout Proto.TaskSpec) -> Void)] = [
      ("name", { $0.name = "../etc" }), ("name", { $0.name = "" }),
      ("rounds", { $0.rounds = 0 }), ("aggregation", { $0.aggregation = .unspecified }),
      ("cohort.size", { $0.cohort?.size = 0 }), ("cohort.quorum", { $0.cohort?.quorum = 1.5 }),
      ("over_selection", { $0.cohort?.overSelection = 0.5 }),
      ("report_ms", { $0.cohort?.reportMs = 1 }), ("bounds", { $0.coordinateBound = .infinity }),
      ("bounds", { $0.weightBound = 1 << 29 }), ("norm_bound", { $0.normBound = -1 }),
      ("plan", { $0.plan = nil }), ("plan", { $0.plan?.version = 9 }),
      ("initial_model", { $0.initialModel = [1] }),
    ]
    for (field, change) in changes {
      let error = await #expect(throws: RPCError.self) {
        try await coordinator.create(try SmallTask.spec("x", change))
      }
      #expect(error?.code == .invalidArgument, "\(field)")
      #expect(error?.message.contains(field) == true, "\(error?.message ?? "")")
    }
    await federation.end()
  }

  @Test("A paused task finishes its round, and goes on when it is resumed")
  func pausing() async throws {
    let federation = try await Federation.started(devices: 1)
    let coordinator = TestCoordinator(of: federation)
    let device = TestDevice(0, of: federation)
    let stream = try await device.wait()
    let task = try await coordinator.create(try SmallTask.spec(rounds: 2, cohort: 1))
    let assignment = try await stream.nextAssignment()
    let paused = try await coordinator.call(CoordinatorMethods.pauseTask, task.taskId)
    #expect(paused.state == .paused)
    #expect(try await device.learnAndSubmit(assignment).verdict == .accepted)
    try await coordinator.follow(task.taskId) { $0.model?.version == 2 }
    #expect(try await coordinator.task(task.taskId).round == nil)
    let running = try await coordinator.call(CoordinatorMethods.resumeTask, task.taskId)
    #expect(running.state == .running)
    let next = try await stream.nextAssignment()
    #expect(next.round == 1)
    #expect(try await device.learnAndSubmit(next).verdict == .accepted)
    #expect(try await coordinator.finish(task.taskId).state == .completed)
    let error = await #expect(throws: RPCError.self) {
      try await coordinator.call(CoordinatorMethods.resumeTask, task.taskId)
    }
    #expect(error?.code == .failedPrecondition)
    await federation.end()
  }

  @Test("A cancelled task ends its round, and its devices are told")
  func cancelling() async throws {
    let federation = try await Federation.started(devices: 1)
    let coordinator = TestCoordinator(of: federation)
    let device = TestDevice(0, of: federation)
    let stream = try await device.wait()
    let task = try await coordinator.create(try SmallTask.spec(cohort: 1))
    let assignment = try await stream.nextAssignment()
    let update = try await device.learn(assignment)
    let cancelled = try await coordinator.call(CoordinatorMethods.cancelTask, task.taskId)
    #expect(cancelled.state == .cancelled)
    while let event = try await stream.next() {
      if case .cancelledLease(let lease)? = event.event {
        #expect(lease == assignment.leaseId)
        break
      }
    }
    #expect(try await device.submit(update, for: assignment).verdict == .notNeeded)
    let rounds = try await coordinator.rounds(task.taskId)
    #expect(rounds.map(\.abandonment) == ["cancelled"])
    let again = try await coordinator.call(CoordinatorMethods.cancelTask, task.taskId)
    #expect(again.state == .cancelled)
    await federation.end()
  }

  @Test("A single round of a task that was not started")
  func launching() async throws {
    let federation = try await Federation.started(devices: 1)
    let coordinator = TestCoordinator(of: federation)
    try await withDevices([0], of: federation) {
      let task = try await coordinator.create(
        try SmallTask.spec(rounds: 3, cohort: 1), start: false)
      let round: Proto.RoundInfo = try await coordinator.call(
        CoordinatorMethods.launchRound, task.taskId)
      #expect(round.round == 0 && round.state == .planned)
      try await coordinator.follow(task.taskId) { $0.model?.version == 2 }
      let info = try await coordinator.task(task.taskId)
      #expect(info.state == .created && info.roundsPublished == 1 && info.round == nil)
    }
  }

  @Test("An earlier version becomes the newest one, as a version of its own")
  func rollback() async throws {
    let federation = try await Federation.started(devices: 1)
    let coordinator = TestCoordinator(of: federation)
    try await withDevices([0], of: federation) {
      let task = try await coordinator.create(try SmallTask.spec(rounds: 2, cohort: 1))
      _ = try await coordinator.finish(task.taskId)
      let model = try await coordinator.channel.call(
        CoordinatorMethods.rollbackModel,
        Proto.ModelRef {
          $0.task = "small"
          $0.version = 2
        }, timeout: .seconds(60))
      #expect(model.version == 4 && model.parent == 3 && model.rollbackOf == 2)
      let models = try await coordinator.models(task.taskId)
      #expect(models.map(\.version) == [1, 2, 3, 4])
      #expect(models[3].modelDigest == models[1].modelDigest)
      #expect(try await coordinator.task(task.taskId).model?.version == 4)
    }
  }

  @Test("Two tasks share the devices, and groups of devices have their labels' task")
  func severalTasks() async throws {
    let federation = try await Federation.started(devices: 4) { number in
      Eligibility.Device(
        number: ClientID(UInt64(number)), labels: ["site": number < 2 ? "bern" : "genf"])
    }
    let coordinator = TestCoordinator(of: federation)
    try await withDevices([0, 1, 2, 3], of: federation) {
      let all = try await coordinator.create(try SmallTask.spec("all", rounds: 2, cohort: 2))
      let some = try await coordinator.create(
        try SmallTask.spec("some", rounds: 2, cohort: 2) { $0.labels = ["site": "genf"] })
      #expect(try await coordinator.finish(all.taskId).state == .completed)
      let info = try await coordinator.finish(some.taskId)
      #expect(info.state == .completed)
      let expected = try RoundTests.expected(devices: [2, 3], rounds: 2, seed: 5, cohort: 2)
      #expect(info.model?.modelDigest == expected.digestBytes)
    }
  }

  @Test("A device that was counted as often as the task allows gets no more of it")
  func participation() async throws {
    let federation = try await Federation.started(devices: 2)
    let coordinator = TestCoordinator(of: federation)
    try await withDevices([0, 1], of: federation) {
      let spec = try SmallTask.spec(rounds: 2, cohort: 1) {
        $0.cohort?.participationLimit = 1
      }
      let task = try await coordinator.create(spec)
      #expect(try await coordinator.finish(task.taskId).state == .completed)
      let counted = try await federation.store.read { transaction in
        try transaction.participations(in: task.taskId).map { [$0.device, $0.history.counted] }
      }
      #expect(counted == [[0, 1], [1, 1]])
    }
  }
}
