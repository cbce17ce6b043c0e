// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusNumerics
internal import ApusTransport
internal import ApusWire
internal import Foundation

/// `apus model export`: a version and its whole history, as a folder that stands on its own.
struct ModelExport: Command {
  private static let out = Option(
    "out", .directory, "DIR", "The folder, new or empty; TASK-vVERSION if not said.")

  static let grammar = Grammar(
    name: "model export",
    summary: "Write a version of a model with its lineage to a folder.",
    details: """
      The folder has model.safetensors, lineage.json (every version from the initial model to this one: round, \
      parent, digests, metrics, updates), rounds.jsonl (what every round came to), recipe.json5 (what was asked \
      for) and SHA256SUMS, which 'sha256sum -c' reads.
      """,
    arguments: [TaskGrammar.task, ModelGrammar.version],
    options: [out, HubAccess.option],
    examples: ["apus model export digits --out released/digits"])

  private let hub: HubAccess
  private let task: String
  private let version: UInt64
  private let directory: String?

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    task = words.argument() ?? ""
    version = try ModelGrammar.version(words)
    directory = words.value(Self.out)
  }

  private struct Answer: Encodable {
    let directory: String
    let files: [String]
    let model: ModelDescription
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let progress = ProgressLine("Asking for the model", on: console)
    defer { progress.finish() }
    let federation = try hub.profile(on: console).identity.name.federation
    let answer = try await hub.use(on: console) { client in
      let info = try await client.task(task)
      let file = try ModelFile(try await client.model(version, of: info.taskId))
      let lineage = Self.lineage(
        of: file.model.version, among: try await client.models(of: info.taskId))
      let rounds = try await client.rounds(of: info.taskId).map { RoundDescription($0) }
      let directory = directory ?? "\(info.name)-v\(file.model.version)"
      try Self.make(directory)
      progress.update("Downloading \(Cell.bytes(file.model.blob?.size ?? 0))")
      try await file.write(
        to: directory + "/model.safetensors",
        metadata: file.metadata(task: info, federation: federation), from: client)
      try Self.write(try Self.json(lineage), to: directory + "/lineage.json")
      let lines = try rounds.map { try console.jsonLine($0) + "\n" }.joined()
      try Self.write(lines, to: directory + "/rounds.jsonl")
      var files = ["lineage.json", "model.safetensors", "rounds.jsonl"]
      if !info.recipe.isEmpty {
        try Self.write(info.recipe, to: directory + "/recipe.json5")
        files.append("recipe.json5")
      }
      try Self.writeSums(of: files.sorted(), in: directory)
      return Answer(
        directory: directory, files: files.sorted() + ["SHA256SUMS"],
        model: ModelDescription(file.model))
    }
    progress.finish()
    if console.format == .text {
      console.print(answer.directory)
    } else {
      try console.print(json: answer)
    }
    return .done
  }

  /// A version and those it comes from, the initial model first.
  static func lineage(of version: UInt64, among models: [Proto.ModelInfo]) -> [ModelDescription] {
    let known = Dictionary(models.map { ($0.version, $0) }) { first, _ in first }
    var lineage: [ModelDescription] = []
    var next = version
    // Parents are older, so that this ends.
    while let model = known[next] {
      lineage.append(ModelDescription(model))
      guard model.parent < next else { break }
      next = model.parent
    }
    return lineage.reversed()
  }

  private static func make(_ directory: String) throws {
    let files = FileManager.default
    if let names = try? files.contentsOfDirectory(atPath: directory), !names.isEmpty {
      throw CoordinationError(
        .fileSystem, "\(directory) is not empty; expected a new or empty folder (--out DIR)")
    }
    do { try files.createDirectory(atPath: directory, withIntermediateDirectories: true) } catch {
      throw CoordinationError(
        .fileSystem, "\(directory): cannot be made: \(error.localizedDescription)", cause: error)
    }
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }

  private static func write(_ text: String, to path: String) throws {
    try DurableFile.write(Array(text.utf8), to: path)
  }

  private static func writeSums(of files: [String], in directory: String) throws {
    let lines = try files.map { name in
      let bytes = try Data(
        contentsOf: URL(fileURLWithPath: "\(directory)/\(name)"), options: .alwaysMapped)
      return "\(bytes.withUnsafeBytes { SHA256.hexDigest(of: $0) })  \(name)\n"
    }
    try write(lines.joined(), to: directory + "/SHA256SUMS")
  }
}
