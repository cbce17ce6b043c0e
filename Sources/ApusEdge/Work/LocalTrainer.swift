// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusData
internal import ApusNumerics
internal import ApusTraining
internal import ApusWire

/// Trains on the device's examples, with the simulator's arithmetic: the same plan, model, examples and stream
/// give the same bytes.
///
/// A program is kept from round to round, as long as the plan stays the same.
final class LocalTrainer: @unchecked Sendable {
  // Sendable: `kept` is used by one training at a time; `EdgeWorker`, the only caller, begins none before the one
  // before it has returned.
  private let examples: ClientDataset
  private var kept: (plan: TrainingPlan, batchSize: Int, program: Program)?

  init(_ examples: ExampleTable) { self.examples = ClientDataset(all: examples) }

  /// What a round's training gave.
  struct Result: Sendable {
    var update: ParameterVector
    var weight: Int
    var lossSum: Double
    var stepCount: Int

    /// The mean over the steps; NaN before the first.
    var loss: Double { stepCount == 0 ? .nan : lossSum / Double(stepCount) }
  }

  /// Takes the round's local steps.
  ///
  /// - Parameters:
  ///   - work: checked.
  ///   - model: where to begin.
  ///   - control: ends it early.
  /// - Returns: nil where it was ended early.
  /// - Throws: ``LocalWork/Refusal``: out of memory, or a loss that is not finite.
  func train(
    _ work: LocalWork, from model: ParameterVector, control: TrainingSwitch
  ) throws -> Result? {
    let program = try program(for: work)
    let result: Result =
      switch work.plan.algorithm {
      case .fedAvg(let algorithm): try run(algorithm, work, program, model, control)
      case .fedProx(let algorithm): try run(algorithm, work, program, model, control)
      case .fedSGD(let algorithm): try run(algorithm, work, program, model, control)
      }
    if control.isStopped { return nil }
    guard result.lossSum.isFinite else {
      throw LocalWork.Refusal(code: "not-finite", message: "The loss is not finite any more.")
    }
    return result
  }

  private func program(for work: LocalWork) throws -> Program {
    if let kept, kept.plan == work.plan, kept.batchSize == work.batchSize { return kept.program }
    // The old one's memory goes before the new one's is taken.
    kept = nil
    do {
      let program = try Program(
        work.plan.graph, loss: work.plan.loss, batchSize: work.batchSize)
      try program.checkFits(examples.table)
      kept = (work.plan, work.batchSize, program)
      return program
    } catch {
      let code =
        switch error.code {
        case .outOfMemory: "out-of-memory"
        case .dataMismatch: "data-mismatch"
        default: "plan-refused"
        }
      throw LocalWork.Refusal(code: code, message: error.message)
    }
  }

  private func run<Algorithm: FederatedAlgorithm>(
    _ algorithm: Algorithm, _ work: LocalWork, _ program: Program, _ model: ParameterVector,
    _ control: TrainingSwitch
  ) throws -> Result
  where
    Algorithm.ClientState == NoState, Algorithm.Broadcast == ParameterVector,
    Algorithm.Update == ParameterVector
  {
    var client = Client(
      state: NoState(), objective: InterruptibleProgram(program: program, control: control),
      examples: InterruptibleExamples(examples: examples, control: control), round: work.round,
      random: work.random)
    let update = try algorithm.clientUpdate(&client, from: model)
    return Result(
      update: update.value, weight: update.weight, lossSum: client.lossSum,
      stepCount: client.stepCount)
  }
}
