// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData
internal import ApusNumerics
internal import ApusTraining

/// Measures a model on examples, all workers together.
///
/// The examples are cut the same way whatever the number of threads, and the pieces' sums are added in
/// order, so that the figures are the same to the last bit.
struct Measurement {
  /// Examples in a piece of work: large enough to be worth taking, small enough to share out.
  private static let pieceSize = 500

  let team: WorkerTeam
  let workers: [Worker]

  /// The model's loss and accuracy over a whole table.
  func central(_ model: ParameterVector, on table: ExampleTable) -> Evaluation {
    let everything = ClientDataset(all: table)
    let pieceCount = (table.count + Self.pieceSize - 1) / Self.pieceSize
    let pieces = Slots(repeating: Evaluation(), count: pieceCount)
    team.forEach(count: pieceCount) { worker, piece in
      let first = piece * Self.pieceSize
      let rows = everything.indices[first..<min(first + Self.pieceSize, table.count)]
      pieces[piece] = workers[worker].evaluator.evaluate(
        at: model, on: ClientDataset(table, indices: rows))
    }
    return pieces.values.reduce(Evaluation(), +)
  }

  /// How the model does for each of some clients, on the examples that they hold back.
  ///
  /// - Returns: one evaluation for every client, in order; of no examples where it holds none back.
  func perClient(
    _ model: ParameterVector, of clients: [Int], in data: FederatedDataset
  ) -> [Evaluation] {
    let results = Slots(repeating: Evaluation(), count: clients.count)
    team.forEach(count: clients.count) { worker, place in
      let examples = data.client(clients[place]).test
      results[place] = workers[worker].evaluator.evaluate(at: model, on: examples)
    }
    return results.values
  }
}

extension RoundRecord.ClientAccuracy {
  /// - Parameter evaluations: one for each client; those of no examples are left out.
  init?(_ evaluations: [Evaluation]) {
    let accuracies = evaluations.filter { $0.exampleCount > 0 }.map(\.accuracy).sorted()
    guard let worst = accuracies.first else { return nil }
    mean = accuracies.reduce(0, +) / Double(accuracies.count)
    tenthPercentile = accuracies[(accuracies.count - 1) / 10]
    self.worst = worst
    clients = accuracies.count
  }
}
