// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCatalog
internal import ApusCommands
internal import ApusData

/// `apus data list`: what data sets are there.
struct DataList: Command {
  static let grammar = Grammar(
    name: "data list",
    summary: "List the data sets that Apus knows and where they are.",
    options: [RunGrammar.dataDirectory],
    examples: ["apus data list", "apus data list --format jsonl"])

  private let directory: String?

  init(_ words: Words) throws(UsageError) { directory = words.value(RunGrammar.dataDirectory) }

  func run(on console: Console) throws -> ExitCode {
    let catalog = DataCatalog(directory: directory, environment: console.environment)
    let sets = KnownSet.all.map { DataDescription(of: $0, in: catalog) }
    guard console.format == .text else {
      try console.print(jsonRows: sets)
      return .done
    }
    Table.print(
      [
        .init(title: "set", side: .left), .init(title: "where", side: .left),
        .init(title: "what", side: .left),
      ],
      sets.map { [$0.name, $0.place, $0.summary] }, on: console)
    if sets.contains(where: { $0.location == .missing }) {
      console.note("\n'apus data show SET' tells where to get a missing one.")
    }
    return .done
  }
}

/// A data set as it is printed.
struct DataDescription: Encodable {
  enum Location: String, Encodable {
    case directory, bundled, computed, missing
  }

  let name: String
  let summary: String
  let location: Location
  let directory: String?
  let origin: String
  let licence: String
  /// What its examples can be divided by, besides the splits that any data have.
  let keys: [String]

  init(of set: KnownSet, in catalog: DataCatalog) {
    name = set.name
    summary = set.summary
    origin = set.origin
    licence = set.licence
    keys = set.keys
    switch catalog.location(of: set) {
    case .directory(let path): (location, directory) = (.directory, path)
    case .bundled: (location, directory) = (.bundled, nil)
    case .computed: (location, directory) = (.computed, nil)
    case .missing: (location, directory) = (.missing, nil)
    }
  }

  /// Where it is, for people.
  var place: String {
    switch location {
    case .directory: directory ?? ""
    case .bundled: "comes with Apus"
    case .computed: "computed"
    case .missing: "missing"
    }
  }
}
