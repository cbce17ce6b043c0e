// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusWire

/// What the commands about models have in common.
enum ModelGrammar {
  static let version = Argument(
    "VERSION", .text, .optional, "A version of the model, counted from 1; the newest if not said.")

  /// The version that the words say; 0 for the newest.
  static func version(_ words: Words) throws(UsageError) -> UInt64 {
    guard let text = words.argument(1) else { return 0 }
    guard let version = UInt64(text), version > 0 else {
      throw words.failure("VERSION \(text), expected a number, counted from 1")
    }
    return version
  }

  /// Prints one version.
  static func print(_ info: Proto.ModelInfo, on console: Console) throws {
    let model = ModelDescription(info)
    guard console.format == .text else { return try console.print(json: model) }
    console.print("version        \(model.version), \(origin(of: model))")
    console.print("task           \(model.task)")
    console.print("digest         sha256:\(model.modelDigest)")
    console.print("size           \(Cell.bytes(model.bytes)), \(model.tensors.count) arrays")
    if model.accuracy != nil || model.loss != nil {
      console.print(
        "accuracy       \(Cell.percent(model.accuracy)), loss \(Cell.fixed(model.loss, digits: 4))")
    }
    if model.contributions > 0 {
      let digest = model.contributionsDigest.map { ", sha256:\($0)" } ?? ""
      console.print("contributions  \(Cell.count(model.contributions))\(digest)")
    }
    console.print("created        \(model.created)")
  }

  /// Where a version comes from, in words.
  static func origin(of model: ModelDescription) -> String {
    if let version = model.rollbackOf { return "a rollback to version \(version)" }
    if let round = model.round, let parent = model.parent {
      return "made of version \(parent) by round \(round)"
    }
    return "the initial model"
  }
}
