// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusTraining
internal import Foundation

/// `apus-bench graph FILE`: a model of 22 million parameters on the digits, to see what large updates cost.
struct WideModel: Model {
  let hidden1 = Dense(4_500, activation: .relu)
  let hidden2 = Dense(4_800, activation: .relu)
  let logits = Dense(10)

  func callAsFunction(_ images: Symbol) -> Symbol {
    logits(hidden2(hidden1(images.flattened())))
  }

  /// Writes the graph that a recipe can name.
  static func write(to path: String) throws {
    let graph = try Graph(tracing: WideModel(), input: [8, 8, 1])
    try JSONEncoder().encode(graph).write(to: URL(filePath: path))
  }
}
