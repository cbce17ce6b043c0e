// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// `apus model list`: the versions of a task's model.
struct ModelList: Command {
  static let grammar = Grammar(
    name: "model list",
    summary: "List the versions of a task's model and where each comes from.",
    arguments: [TaskGrammar.task],
    options: [HubAccess.option],
    examples: ["apus model list digits"])

  private let hub: HubAccess
  private let task: String

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let models = try await hub.use(on: console) { try await $0.models(of: task) }
      .map { ModelDescription($0) }
    guard console.format == .text else {
      try console.print(jsonRows: models)
      return .done
    }
    Table.print(
      [
        .init(title: "version"), .init(title: "parent"), .init(title: "accuracy"),
        .init(title: "loss"), .init(title: "updates"), .init(title: "digest", side: .left),
        .init(title: "origin", side: .left),
      ],
      models.map { model in
        [
          "\(model.version)", model.parent.map { "\($0)" } ?? "–", Cell.percent(model.accuracy),
          Cell.fixed(model.loss, digits: 4), Cell.count(model.contributions),
          String(model.modelDigest.prefix(12)), ModelGrammar.origin(of: model),
        ]
      }, on: console)
    return .done
  }
}
