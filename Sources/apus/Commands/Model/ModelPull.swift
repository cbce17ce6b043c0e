// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusTransport
internal import ApusWire

/// `apus model pull`: a version as a file.
struct ModelPull: Command {
  private static let out = Option(
    "out", .file, "FILE", "Where it goes; TASK-vVERSION.safetensors if not said.")

  static let grammar = Grammar(
    name: "model pull",
    summary: "Download a version of a model as a safetensors file.",
    details: """
      The file's metadata says where it comes from: federation, task, round, parent, how many updates and which, \
      accuracy, and the digest of its numbers, which is checked. PyTorch, JAX and 'safetensors' read it as it is.
      """,
    arguments: [TaskGrammar.task, ModelGrammar.version],
    options: [out, HubAccess.option],
    examples: ["apus model pull digits", "apus model pull digits 3 --out third.safetensors"])

  private let hub: HubAccess
  private let task: String
  private let version: UInt64
  private let path: String?

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
    version = try ModelGrammar.version(words)
    path = words.value(Self.out)
  }

  private struct Answer: Encodable {
    let file: String
    let model: ModelDescription
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let progress = ProgressLine("Asking for the model", on: console)
    defer { progress.finish() }
    let federation = try hub.profile(on: console).identity.name.federation
    let answer = try await hub.use(on: console) { client in
      let info = try await client.task(task)
      let file = try ModelFile(try await client.model(version, of: info.taskId))
      let path = path ?? "\(info.name)-v\(file.model.version).safetensors"
      let size = file.model.blob?.size ?? 0
      try await file.write(
        to: path, metadata: file.metadata(task: info, federation: federation), from: client
      ) { progress.update("\(Cell.bytes($0)) of \(Cell.bytes(size))") }
      return Answer(file: path, model: ModelDescription(file.model))
    }
    progress.finish()
    if console.format == .text {
      console.print(answer.file)
      console.note(
        "version \(answer.model.version), sha256:\(answer.model.modelDigest), "
          + ModelGrammar.origin(of: answer.model))
    } else {
      try console.print(json: answer)
    }
    return .done
  }
}
