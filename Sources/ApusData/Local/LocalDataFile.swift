// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// What a folder's `apus-data.json5` says: which files have a device's examples, and how they are read.
///
/// ```json5
/// { inputs: "images.idx.gz", targets: "labels.idx", classes: 10, shape: [28, 28, 1] }
/// { inputs: "flowers.csv", label: "species", classes: ["setosa", "versicolor", "virginica"] }
/// ```
///
/// | key | what |
/// | --- | --- |
/// | `inputs` | a file beside this one: IDX (gzip or not), or CSV where its name ends in `.csv` |
/// | `targets` | IDX: whole numbers are classes, numbers with fractions are values |
/// | `label`, `value` | CSV: the column with the class, or with the number to be told |
/// | `ignore` | CSV: columns that are no features |
/// | `header`, `separator` | CSV: whether a header line has the columns' names (true), and `","` |
/// | `classes` | how many classes there are, or (CSV) their names; one more than the largest one |
/// | `shape` | of one example's input; the file's own, for images of two dimensions with a channel |
/// | `kind` | `"numbers"`, or `"tokens"` for indices into a vocabulary |
/// | `scale`, `offset` | numbers become x × scale + offset; bytes 1/255 and 0, others 1 and 0 |
///
/// Every other key is an error. Features of a CSV file are numbers: words would be counted differently by
/// every device.
public struct LocalDataFile: Hashable, Sendable {
  /// The classes that there are.
  public enum Classes: Hashable, Sendable {
    /// Numbered from 0.
    case count(Int)
    /// Class 0 first.
    case names([String])

    public var count: Int {
      switch self {
      case .count(let count): count
      case .names(let names): names.count
      }
    }
  }

  /// What the file is called.
  public static let name = "apus-data.json5"
  static let keys = [
    "inputs", "targets", "label", "value", "ignore", "header", "separator", "classes", "shape",
    "kind", "scale", "offset",
  ]

  /// A file, relative to the folder.
  public var inputs: String
  /// IDX: a file, relative to the folder.
  public var targets: String?
  /// CSV: the column of the class; the column's number from 1 where there is no header.
  public var label: String?
  /// CSV: the column of the number to be told.
  public var value: String?
  /// CSV: columns that are no features.
  public var ignored: [String] = []
  public var hasHeader = true
  /// One byte of ASCII.
  public var separator: Character = ","
  /// Nil for as many as the targets show.
  public var classes: Classes?
  /// Of one example's input; nil for the file's own.
  public var shape: Shape?
  public var isTokens = false
  public var scale: Float?
  public var offset: Float?

  public init(inputs: String, targets: String? = nil) {
    self.inputs = inputs
    self.targets = targets
  }

  var isTable: Bool { Self.isTable(inputs) }

  static func isTable(_ name: String) -> Bool {
    let name = name.lowercased()
    return [".csv", ".csv.gz", ".tsv", ".tsv.gz"].contains { name.hasSuffix($0) }
  }
}

extension LocalDataFile {
  /// Reads the text of an `apus-data.json5`.
  ///
  /// - Parameters:
  ///   - text: the file's.
  ///   - file: what messages call it.
  ///   - settings: `key=value` each, which come before what the text says.
  /// - Throws: `malformed` with file and line: not JSON5, an unknown key, a value of the wrong kind.
  public init(
    parsing text: String, file: String, setting settings: [String] = []
  ) throws(DataError) {
    var parser = JSON5Parser(text)
    var root: JSON5Node
    do { root = try parser.parse() } catch {
      throw DataError(.malformed, file: file, line: error.line, "there is \(error.message).")
    }
    guard case .object(var members) = root.value else {
      throw DataError(.malformed, file: file, "is \(root); expected { inputs: …, … }.")
    }
    for setting in settings {
      let member = try Self.member(setting)
      members.removeAll { $0.key == member.key }
      members.append(member)
    }
    root.value = .object(members)
    let fields = LocalDataFields(members: members, file: file)
    try self.init(fields)
  }

  /// `key=value`; the value is JSON5, or text where it is none.
  private static func member(_ setting: String) throws(DataError) -> JSON5Node.Member {
    let shown = "--set \(setting.prefix(80))"
    guard let equals = setting.firstIndex(of: "="), equals > setting.startIndex else {
      throw DataError(.malformed, "\(shown): expected key=value, for example classes=10.")
    }
    let text = String(setting[setting.index(after: equals)...])
    var parser = JSON5Parser(text, override: shown)
    let node = (try? parser.parse()) ?? JSON5Node(value: .string(text), origin: .override(shown))
    return .init(key: String(setting[..<equals]), origin: .override(shown), node: node)
  }

  private init(_ fields: LocalDataFields) throws(DataError) {
    try fields.requireKeys(among: Self.keys)
    guard let inputs = try fields.text("inputs") else {
      throw fields.failure("has no key inputs; expected the name of a file with examples.")
    }
    self.init(inputs: inputs, targets: try fields.text("targets"))
    label = try fields.column("label")
    value = try fields.column("value")
    ignored = try fields.columns("ignore")
    hasHeader = try fields.boolean("header") ?? true
    if let text = try fields.text("separator") {
      guard text.utf8.count == 1, let first = text.first, first != "\n", first != "\"" else {
        throw fields.wrong("separator", "one character of ASCII")
      }
      separator = first
    }
    classes = try fields.classes("classes")
    shape = try fields.shape("shape")
    if let kind = try fields.text("kind") {
      guard kind == "numbers" || kind == "tokens" else {
        throw fields.wrong("kind", "\"numbers\" or \"tokens\"")
      }
      isTokens = kind == "tokens"
    }
    scale = try fields.number("scale")
    offset = try fields.number("offset")
    try requireSense(fields)
  }

  /// Keys that contradict each other.
  private func requireSense(_ fields: LocalDataFields) throws(DataError) {
    if isTable {
      guard (label == nil) != (value == nil) else {
        throw fields.failure(
          "says that the examples are in the table \(inputs), so it needs one of the keys label "
            + "(the column of the class) and value (the column of the number to be told).")
      }
      if targets != nil { throw fields.wrong("targets", "no such key: the table has the targets") }
    } else {
      for (key, isThere) in [
        ("label", label != nil), ("value", value != nil), ("ignore", !ignored.isEmpty),
      ] where isThere {
        throw fields.wrong(key, "no such key: \(inputs) is no .csv file")
      }
      guard targets != nil else {
        throw fields.failure("has no key targets; expected an IDX file with a target an example.")
      }
      if case .names? = classes {
        throw fields.wrong("classes", "a count: classes of IDX files are numbers")
      }
    }
    if isTokens, scale != nil || offset != nil {
      throw fields.wrong(scale == nil ? "offset" : "scale", "no such key: tokens are not scaled")
    }
  }
}
