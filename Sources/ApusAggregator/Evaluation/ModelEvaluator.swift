// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData
internal import ApusNumerics
internal import ApusTraining
internal import Foundation
internal import Synchronization

/// Measures a task's models on its examples.
///
/// The examples are cut as the simulator cuts them and the pieces' sums are added in order, so that the
/// figures are the simulator's to the last bit, whatever the number of threads.
final class ModelEvaluator: @unchecked Sendable {
  // Sendable: programs are workspaces, used only under `lock`, each by one thread of a pass.
  private let programs: [Program]
  private let table: ExampleTable
  private let lock = NSLock()

  /// Examples in a piece of work, and in a step.
  private static let pieceSize = 500
  private static let batchSize = 50

  /// - Parameters:
  ///   - graph: of the model.
  ///   - loss: of the plan.
  ///   - frozen: the parameters that are not trained; nil for those of the seed 0.
  ///   - table: the examples.
  ///   - threadCount: at least 1.
  init(
    _ graph: Graph, loss: Loss, frozen: ParameterVector?, on table: ExampleTable, threadCount: Int
  ) throws(AggregatorError) {
    do throws(TrainingError) {
      programs = try (0..<max(threadCount, 1)).map { _ throws(TrainingError) in
        let program = try Program(graph, loss: loss, batchSize: Self.batchSize)
        if let frozen { program.frozenParameters = frozen }
        return program
      }
      try programs[0].checkFits(table)
    } catch {
      throw AggregatorError(.invalidValue, error.message, cause: error)
    }
    self.table = table
  }

  // Sendable: each item of a pass has a program and places of its own.
  private struct Pass: @unchecked Sendable {
    let programs: [Program]
    let results: UnsafeMutableBufferPointer<Evaluation>
  }

  /// The model's loss and accuracy over all examples.
  func evaluate(_ model: ParameterVector) -> Evaluation {
    lock.withLock {
      let everything = ClientDataset(all: table)
      let pieceCount = (table.count + Self.pieceSize - 1) / Self.pieceSize
      var results = [Evaluation](repeating: Evaluation(), count: pieceCount)
      let (table, threadCount) = (table, programs.count)
      results.withUnsafeMutableBufferPointer { results in
        let pass = Pass(programs: programs, results: results)
        Compute.forEach(threadCount) { thread in
          for piece in stride(from: thread, to: pieceCount, by: threadCount) {
            let first = piece * Self.pieceSize
            let rows = everything.indices[first..<min(first + Self.pieceSize, table.count)]
            pass.results[piece] = pass.programs[thread].evaluate(
              at: model, on: ClientDataset(table, indices: rows))
          }
        }
      }
      return results.reduce(Evaluation(), +)
    }
  }

  /// Whether accuracy means something for these targets.
  var hasAccuracy: Bool { if case .values = table.targets { false } else { true } }
}
