// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a command takes: the one table that parsing, help, completions and suggestions come from.
struct Grammar: Sendable {
  /// One word, or two for a command of a group: `data list`.
  let name: String
  /// One line, a verb first.
  let summary: String
  var details = ""
  var arguments: [Argument] = []
  var options: [Option] = []
  /// What `--format` takes; a command that prints no data has text alone.
  var formats: [Format] = Format.allCases
  var examples: [String] = []

  /// The options of the command and those that every command has.
  var allOptions: [Option] { options + Self.commonOptions(formats: formats) }

  static func commonOptions(formats: [Format] = Format.allCases) -> [Option] {
    let format = Option(
      "format", .choice(formats.map(\.rawValue)), "FORMAT",
      "How results are printed: \(formats.map(\.rawValue).joined(separator: ", ")).")
    return (formats.count > 1 ? [format] : []) + [.quiet, .verbose, .help]
  }
}

/// How results are printed.
enum Format: String, CaseIterable, Sendable {
  /// For people.
  case text
  /// One JSON value.
  case json
  /// One JSON object a line, as soon as it is known.
  case jsonl
}

/// What a value on the command line is, for completions.
enum ValueKind: Hashable, Sendable {
  case text
  case file
  case directory
  case choice([String])
  /// Any text; these are examples of it.
  case choiceOrText([String])
}

/// `--name`, `--name VALUE` or `--name=VALUE`.
struct Option: Hashable, Sendable {
  let name: String
  /// `-n`, for the few options that have it.
  let letter: Character?
  /// What the value is; nil for an option without one.
  let kind: ValueKind?
  /// How help calls the value.
  let placeholder: String
  let help: String
  let isRepeatable: Bool

  /// An option with a value.
  init(
    _ name: String, _ kind: ValueKind, _ placeholder: String, _ help: String,
    isRepeatable: Bool = false
  ) {
    self.name = name
    self.letter = nil
    self.kind = kind
    self.placeholder = placeholder
    self.help = help
    self.isRepeatable = isRepeatable
  }

  /// An option that is there or not.
  init(flag name: String, letter: Character? = nil, _ help: String) {
    self.name = name
    self.letter = letter
    self.kind = nil
    self.placeholder = ""
    self.help = help
    self.isRepeatable = true
  }

  static let format = Option("format", .choice(Format.allCases.map(\.rawValue)), "FORMAT", "")
  static let quiet = Option(flag: "quiet", letter: "q", "Print results and errors, nothing else.")
  static let verbose = Option(flag: "verbose", letter: "v", "Print more of what is done.")
  static let help = Option(flag: "help", letter: "h", "Print this help.")
}

/// A word without dashes.
struct Argument: Hashable, Sendable {
  enum Count: Hashable, Sendable {
    case one
    case optional
    case oneOrMore
    case any
  }

  let placeholder: String
  let kind: ValueKind
  let count: Count
  let help: String

  init(_ placeholder: String, _ kind: ValueKind, _ count: Count = .one, _ help: String) {
    self.placeholder = placeholder
    self.kind = kind
    self.count = count
    self.help = help
  }

  /// As the usage line shows it.
  var usage: String {
    switch count {
    case .one: placeholder
    case .optional: "[\(placeholder)]"
    case .oneOrMore: "\(placeholder)…"
    case .any: "[\(placeholder)…]"
    }
  }
}
