// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCatalog
internal import ApusCommands
internal import ApusData
internal import ApusNumerics
internal import ApusSimulation
internal import Foundation

/// `apus data split`: how a split looks.
struct DataSplit: Command {
  private static let split = Option(
    "split", .choiceOrText(["iid", "shards:2", "dirichlet:0.5", "quantity:0.5", "by:writer"]),
    "SPLIT",
    "iid, shards:COUNT, dirichlet:ALPHA[:MINIMUM], quantity:ALPHA or by:KEY; iid if not said.")
  private static let clients = Option(
    "clients", .text, "N", "How many clients; 100 where the split does not tell.")
  private static let holdBack = Option(
    "hold-back", .text, "PART", "The part of every client's examples kept for measuring, 0 to 1.")
  private static let seed = Option("seed", .text, "N", "The seed of the split; 1.")
  private static let svg = Option("svg", .file, "FILE", "Write a picture of the split.")
  private static let export = Option(
    "export", .directory, "DIR",
    "Write each client's training examples to a folder of their own in DIR, as a device reads them."
  )

  static let grammar = Grammar(
    name: "data split",
    summary: "Show how a data set is divided among clients.",
    details: """
      Prints how many examples of which class the clients have: twenty of them as text, all as JSON.
      With --export, client 3's examples come to DIR/client-3 (with zeros before the 3, so that folders \
      sort): 'apus join INVITATION --data DIR/client-3' trains on what client 3 of a simulation with the \
      same seed trains on.
      """,
    arguments: [DataShow.set],
    options: [split, clients, holdBack, seed, svg, export, RunGrammar.dataDirectory],
    examples: [
      "apus data split mnist --split shards:2 --clients 100 --svg split.svg",
      "apus data split mnist-writers --split by:writer",
      "apus data split digits --clients 3 --export devices",
    ])

  private let set: String
  private let rule: SplitRule
  private let clients: Int?
  private let holdBack: Double
  private let seed: UInt64
  private let picture: String?
  private let exportDirectory: String?
  private let directory: String?

  init(_ words: Words) throws(UsageError) {
    let set = words.argument() ?? ""
    self.set = set
    directory = words.value(RunGrammar.dataDirectory)
    seed = try words.integer(Self.seed, in: UInt64.min...UInt64.max) ?? 1
    picture = words.value(Self.svg)
    exportDirectory = words.value(Self.export)
    let isComputed = KnownSet.all.contains { $0.name == set && $0.variants.isEmpty }
    let text = words.value(Self.split) ?? (isComputed ? "by:device" : "iid")
    guard let rule = Self.rule(text) else {
      let names = ["iid", "shards", "dirichlet", "quantity", "by"]
      let given = String(text.prefix { $0 != ":" })
      let near = Spelling.nearest(to: given, among: names).flatMap { $0 == given ? nil : $0 }
      throw words.failure(
        "--split \(text), expected iid, shards:COUNT, dirichlet:ALPHA[:MINIMUM], quantity:ALPHA or "
          + "by:KEY" + (near.map { " (did you mean \($0)?)" } ?? ""))
    }
    self.rule = rule
    let clients = try words.integer(Self.clients, in: 1...Int(Int32.max))
    if case .by = rule { self.clients = clients } else { self.clients = clients ?? 100 }
    let part = words.value(Self.holdBack) ?? "0"
    guard let holdBack = Double(part), holdBack >= 0, holdBack < 1 else {
      throw words.failure("--hold-back \(part), expected a number of at least 0 and below 1")
    }
    self.holdBack = holdBack
  }

  /// The split that a word like `dirichlet:0.5` names.
  static func rule(_ text: String) -> SplitRule? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    func number(_ index: Int) -> Double? {
      index < parts.count ? Double(parts[index]).flatMap { $0.isFinite ? $0 : nil } : nil
    }
    switch (parts[0], parts.count) {
    case ("iid", 1): return .iid
    case ("shards", 2): return Int(parts[1]).map { .shards(perClient: $0) }
    case ("dirichlet", 2): return number(1).map { .dirichlet(alpha: $0, minimum: 1) }
    case ("dirichlet", 3):
      guard let alpha = number(1), let minimum = Int(parts[2]) else { return nil }
      return .dirichlet(alpha: alpha, minimum: minimum)
    case ("quantity", 2): return number(1).map { .quantity(alpha: $0) }
    case ("by", 2): return parts[1].isEmpty ? nil : .by(parts[1])
    default: return nil
    }
  }

  func run(on console: Console) throws -> ExitCode {
    let progress = ProgressLine("Reading \(set)", on: console)
    defer { progress.finish() }
    let catalog = DataCatalog(directory: directory, environment: console.environment)
    let (dataset, _) = try catalog.federated(
      set, split: rule, clients: clients, holdBack: holdBack, seed: seed)
    // A set made on demand may have a million clients; a sample of them shows the split.
    let statistics = PartitionStatistics(of: dataset, limit: 10_000)
    if let picture {
      do {
        try Data(SplitPicture(of: dataset).svg.utf8).write(
          to: URL(fileURLWithPath: picture), options: .atomic)
      } catch {
        progress.finish()
        console.complain("\(picture): the picture cannot be written: \(error.localizedDescription)")
        return .failed
      }
    }
    var folders: [String]?
    if let exportDirectory {
      progress.update("Writing \(Cell.count(dataset.clientCount)) folders")
      folders = try export(dataset, to: exportDirectory)
    }
    progress.finish()
    let answer = SplitDescription(statistics, picture: picture, folders: folders)
    if console.format == .text {
      answer.print(on: console)
    } else {
      try console.print(json: answer)
    }
    return .done
  }

  /// - Returns: the folders, in the order of the clients.
  private func export(_ dataset: FederatedDataset, to directory: String) throws -> [String] {
    let width = String(max(dataset.clientCount - 1, 0)).count
    return try (0..<dataset.clientCount).map { client in
      let number = String(client)
      let folder =
        "\(directory)/client-" + String(repeating: "0", count: width - number.count) + number
      try LocalData.write(dataset.client(client).train, to: folder)
      return folder
    }
  }
}
