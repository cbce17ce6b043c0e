// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCatalog
internal import ApusCommands
internal import ApusData
internal import ApusNumerics

/// `apus data show`: one data set.
struct DataShow: Command {
  static let set = Argument(
    "SET", .choice(KnownSet.all.map(\.name)), .one, "A data set that 'apus data list' lists.")

  static let grammar = Grammar(
    name: "data show",
    summary: "Tell what a data set is, where it is or where to get it, and what is in it.",
    arguments: [set],
    options: [RunGrammar.dataDirectory],
    examples: ["apus data show mnist"])

  private let name: String
  private let directory: String?

  init(_ words: Words) throws(UsageError) {
    name = words.argument() ?? ""
    directory = words.value(RunGrammar.dataDirectory)
  }

  private struct Contents: Encodable {
    let train: Int
    let test: Int
    let inputShape: [Int]
    let classCount: Int?
    /// Training examples of each class.
    let labelCounts: [Int]
    let classNames: [String]?
    let clientsByKey: [String: Int]
    let digests: [String: String]

    init(of data: LoadedData) {
      train = data.train.count
      test = data.test?.count ?? 0
      inputShape = data.train.inputShape.dimensions
      classCount = data.train.classCount
      var counts = [Int](repeating: 0, count: data.train.labels == nil ? 0 : classCount ?? 0)
      for label in data.train.labels ?? [] { counts[Int(label)] += 1 }
      labelCounts = counts
      classNames = data.classNames
      clientsByKey = data.naturalKeys.mapValues { Set($0).count }
      digests = data.digests
    }
  }

  private struct Answer: Encodable {
    let set: DataDescription
    let contents: Contents?
  }

  func run(on console: Console) throws -> ExitCode {
    let catalog = DataCatalog(directory: directory, environment: console.environment)
    let set = try KnownSet.named(name)
    let description = DataDescription(of: set, in: catalog)
    var contents: Contents?
    if description.location == .directory || description.location == .bundled {
      let progress = ProgressLine("Reading \(name)", on: console)
      defer { progress.finish() }
      contents = Contents(of: try catalog.load(name))
    }
    guard console.format == .text else {
      try console.print(json: Answer(set: description, contents: contents))
      return .done
    }
    console.print("\(set.name): \(set.summary)")
    console.print("where     \(description.place)")
    console.print("from      \(set.origin)")
    console.print("licence   \(set.licence)")
    if !set.keys.isEmpty { console.print("split by  \(set.keys.joined(separator: ", "))") }
    if let contents { print(contents, on: console) }
    if description.location == .missing {
      for file in set.variants.first ?? [] {
        console.print(
          "file      \(file.folder)/\(file.name)[.gz], inflated \(Cell.count(file.size)) bytes, "
            + "sha256:\(file.digest ?? "any")")
      }
      console.note("\nPut it into one of: \(catalog.places.joined(separator: ", "))")
    }
    return .done
  }

  private func print(_ contents: Contents, on console: Console) {
    console.print(
      "examples  \(Cell.count(contents.train)) to train, \(Cell.count(contents.test)) to test")
    console.print("input     \(Shape(contents.inputShape))")
    for (key, count) in contents.clientsByKey.sorted(by: { $0.key < $1.key }) {
      console.print("clients   \(Cell.count(count)) by \(key)")
    }
    for (file, digest) in contents.digests.sorted(by: { $0.key < $1.key }) {
      console.detail("file      \(file) sha256:\(digest)")
    }
    guard !contents.labelCounts.isEmpty, contents.labelCounts.count <= 100 else {
      if let count = contents.classCount { console.print("classes   \(Cell.count(count))") }
      return
    }
    console.print("")
    let most = contents.labelCounts.max() ?? 1
    Table.print(
      [.init(title: "class", side: .left), .init(title: "train"), .init(title: "", side: .left)],
      contents.labelCounts.enumerated().map { label, count in
        let bar = String(repeating: "█", count: most == 0 ? 0 : count * 24 / most)
        let names = contents.classNames ?? []
        return [label < names.count ? names[label] : "\(label)", Cell.count(count), bar]
      }, on: console)
  }
}
