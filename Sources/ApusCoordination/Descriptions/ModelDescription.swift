// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// A version of a model, and where it comes from, as programs read it.
package struct ModelDescription: Codable, Hashable, Sendable {
  package struct Tensor: Codable, Hashable, Sendable {
    package var name: String
    package var shape: [UInt64]
  }

  /// The task's id.
  package var task: String
  /// Counted from 1, which is the initial model.
  package var version: UInt64
  /// The round that made it, counted from 1; nil for the initial model and for a rollback.
  package var round: UInt64?
  /// The version it was made of; nil for the initial model.
  package var parent: UInt64?
  /// Where it is a rollback: the version it is equal to.
  package var rollbackOf: UInt64?
  /// SHA-256 of the numbers: the same as a simulation's summary has.
  package var modelDigest: String
  package var bytes: UInt64
  package var created: String
  package var accuracy: Double?
  package var loss: Double?
  package var trainingLoss: Double?
  /// How many updates it was made of, and a digest of which.
  package var contributions: UInt64
  package var contributionsDigest: String?
  package var tensors: [Tensor]

  package init(_ info: Proto.ModelInfo) {
    task = info.taskId
    version = info.version
    let isInitial = info.parent == 0
    round = isInitial || info.rollbackOf > 0 ? nil : info.round + 1
    parent = isInitial ? nil : info.parent
    rollbackOf = info.rollbackOf > 0 ? info.rollbackOf : nil
    modelDigest = hexadecimal(info.modelDigest)
    bytes = info.blob?.size ?? 0
    created = Moment.text(info.createdMs) ?? ""
    accuracy = info.metrics.value(of: "accuracy")
    loss = info.metrics.value(of: "loss")
    trainingLoss = info.metrics.value(of: "training_loss")
    contributions = info.contributionCount
    contributionsDigest =
      info.contributionsDigest.isEmpty ? nil : hexadecimal(info.contributionsDigest)
    tensors = info.tensors.map { Tensor(name: $0.name, shape: $0.shape) }
  }
}
