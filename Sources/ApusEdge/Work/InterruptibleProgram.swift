// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData
internal import ApusNumerics
internal import ApusTraining
internal import Synchronization

/// What training and those who watch it share.
final class TrainingSwitch: Sendable {
  private let stopped = Atomic(false)
  private let steps = Atomic(0)

  func stop() { stopped.store(true, ordering: .relaxed) }
  var isStopped: Bool { stopped.load(ordering: .relaxed) }
  var stepCount: Int { steps.load(ordering: .relaxed) }
  fileprivate func countStep() { steps.wrappingAdd(1, ordering: .relaxed) }
}

/// A program whose batches end early when somebody says so; else it computes what the program computes.
struct InterruptibleProgram: Objective {
  typealias Examples = InterruptibleExamples

  let program: Program
  let control: TrainingSwitch

  mutating func gradient(
    at x: ParameterVector, on batch: ApusData.Batch, into gradient: inout ParameterVector
  ) -> Double {
    defer { control.countStep() }
    return program.gradient(at: x, on: batch, into: &gradient)
  }

  mutating func descend(_ x: inout ParameterVector, on batch: ApusData.Batch, rate: Float) -> Double
  {
    defer { control.countStep() }
    return program.descend(&x, on: batch, rate: rate)
  }
}

/// A device's examples, and whether anybody still wants them trained on.
struct InterruptibleExamples: LocalExamples {
  let examples: ClientDataset
  let control: TrainingSwitch

  var count: Int { examples.count }

  func batches(of size: Int?, epochs: Int, shuffledBy random: RandomStream) -> Batches {
    Batches(
      schedule: examples.batches(of: size, epochs: epochs, shuffledBy: random), control: control)
  }

  struct Batches: Sequence {
    let schedule: BatchSchedule
    let control: TrainingSwitch

    func makeIterator() -> Iterator {
      Iterator(batches: schedule.makeIterator(), control: control)
    }
  }

  struct Iterator: IteratorProtocol {
    var batches: BatchSchedule.Iterator
    let control: TrainingSwitch

    mutating func next() -> ApusData.Batch? { control.isStopped ? nil : batches.next() }
  }
}
