// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics
import ApusTraining
import ApusWire
import Foundation
import Testing

@testable import ApusAggregator

@Suite struct EvaluationTests {
  /// A table's examples as a blob, and where they are in it.
  private func evaluation(
    of table: ExampleTable, in federation: Federation
  ) async throws -> Proto.Evaluation {
    guard case .numbers(let inputs) = table.inputs, let labels = table.labels else {
      throw TestDevice.Missing(what: "numbers and classes")
    }
    let bytes =
      inputs.withUnsafeBytes { Array($0) } + labels.withUnsafeBytes { Array($0) }
    let blob = try await federation.blobs.write(bytes)
    return Proto.Evaluation {
      $0.every = 1
      $0.examples = blob.digest.bytes
      $0.tensors = [
        Proto.Tensor {
          $0.name = "inputs"
          $0.type = .float32
          $0.shape = [UInt64(table.count), 4]
          $0.length = UInt64(4 * inputs.count)
        },
        Proto.Tensor {
          $0.name = "targets"
          $0.type = .int32
          $0.shape = [UInt64(table.count)]
          $0.offset = UInt64(4 * inputs.count)
          $0.length = UInt64(4 * labels.count)
        },
      ]
    }
  }

  @Test("A published model has the figures that a program measures on the same examples")
  func figures() async throws {
    let federation = try await Federation.started(devices: 2)
    let coordinator = TestCoordinator(of: federation)
    let table = SmallTask.table(seed: 99)
    let measured = try await evaluation(of: table, in: federation)
    let workers = (0..<2).map { number in
      Task { await TestDevice(number, of: federation).work() }
    }
    let task = try await coordinator.create(
      try SmallTask.spec(rounds: 2, cohort: 2) { $0.evaluation = measured })
    let info = try await coordinator.finish(task.taskId)
    let expected = try SmallTask.program().evaluate(
      at: try RoundTests.expected(devices: [0, 1], rounds: 2, seed: 5, cohort: 2),
      on: ClientDataset(all: table))
    let metrics = info.model?.metrics ?? []
    #expect(metrics.first { $0.name == "loss" }?.value == expected.meanLoss)
    #expect(metrics.first { $0.name == "accuracy" }?.value == expected.accuracy)
    #expect(info.bestAccuracy >= expected.accuracy)
    for worker in workers { worker.cancel() }
    await federation.end()
  }

  @Test("A task ends when the accuracy that was asked for is reached")
  func stopping() async throws {
    let federation = try await Federation.started(devices: 1)
    let coordinator = TestCoordinator(of: federation)
    let measured = try await evaluation(of: SmallTask.table(seed: 99), in: federation)
    let worker = Task { await TestDevice(0, of: federation).work() }
    let task = try await coordinator.create(
      try SmallTask.spec(rounds: 50, cohort: 1) {
        $0.evaluation = measured
        $0.stop = Proto.StopRule { $0.accuracy = 0.2 }
      })
    let info = try await coordinator.finish(task.taskId)
    #expect(info.state == .completed)
    #expect(info.roundsPublished < 50 && info.bestAccuracy >= 0.2)
    worker.cancel()
    await federation.end()
  }

  @Test("A model whose loss is not finite is never published")
  func divergence() async throws {
    let federation = try await Federation.started(devices: 1)
    let coordinator = TestCoordinator(of: federation)
    let measured = try await evaluation(of: SmallTask.table(seed: 99), in: federation)
    let device = TestDevice(0, of: federation)
    let stream = try await device.wait()
    let task = try await coordinator.create(
      try SmallTask.spec(rounds: 1, cohort: 1) {
        $0.evaluation = measured
        $0.coordinateBound = 3e38
        $0.cohort?.abandonmentLimit = 1
      })
    let assignment = try await stream.nextAssignment()
    let numbers = ParameterVector((0..<15).map { $0 % 2 == 0 ? Float(2.9e38) : -2.9e38 })
    let update = try await device.upload(numbers, weight: 1, for: assignment)
    #expect(try await device.submit(update, for: assignment).verdict == .accepted)
    let info = try await coordinator.finish(task.taskId)
    #expect(info.state == .failed && info.model?.version == 1)
    let round = try #require(try await coordinator.rounds(task.taskId).first)
    #expect(round.state == .failed && round.abandonment == "diverged")
    await federation.end()
  }

  @Test("Examples that are not what the plan says are refused when the task is created")
  func mismatch() async throws {
    let federation = try await Federation.started(devices: 0)
    let coordinator = TestCoordinator(of: federation)
    let sound = try await evaluation(of: SmallTask.table(seed: 99), in: federation)
    let changes: [(inout Proto.Evaluation) -> Void] = [
      { $0.tensors[0].shape = [48] }, { $0.tensors[1].type = .float32 },
      { $0.tensors[1].offset = .max }, { $0.tensors[0].length = 1 << 40 },
      { $0.tensors.removeLast() }, { $0.tensors[0].shape = [1 << 63, 1 << 63] },
      { $0.examples[0] ^= 1 },
    ]
    for change in changes {
      var broken = sound
      change(&broken)
      let error = await #expect(throws: RPCError.self) {
        try await coordinator.create(try SmallTask.spec { $0.evaluation = broken })
      }
      #expect(error?.code == .invalidArgument || error?.code == .notFound)
    }
    await federation.end()
  }
}
