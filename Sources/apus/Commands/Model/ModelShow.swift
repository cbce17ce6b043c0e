// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus model show`: one version.
struct ModelShow: Command {
  static let grammar = Grammar(
    name: "model show",
    summary: "Tell what a version of a model is made of.",
    arguments: [TaskGrammar.task, ModelGrammar.version],
    options: [HubAccess.option],
    examples: ["apus model show digits", "apus model show digits 3 --format json"])

  private let hub: HubAccess
  private let task: String
  private let version: UInt64

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
    version = try ModelGrammar.version(words)
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let model = try await hub.use(on: console) { try await $0.model(version, of: task) }
    try ModelGrammar.print(model, on: console)
    return .done
  }
}
