// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a command takes: the one table that parsing, help, completions and suggestions come from.
package struct Grammar: Sendable {
  /// One word, or two for a command of a group: `data list`.
  package let name: String
  /// One line, a verb first.
  package let summary: String
  package var details: String
  package var arguments: [Argument]
  package var options: [Option]
  /// What `--format` takes; a command that prints no data has text alone.
  package var formats: [Format]
  /// As they are typed to `apus`; the help of another program that has the command says its own name.
  package var examples: [String]

  package init(
    name: String, summary: String, details: String = "", arguments: [Argument] = [],
    options: [Option] = [], formats: [Format] = Format.allCases, examples: [String] = []
  ) {
    self.name = name
    self.summary = summary
    self.details = details
    self.arguments = arguments
    self.options = options
    self.formats = formats
    self.examples = examples
  }

  /// The options of the command and those that every command has.
  package var allOptions: [Option] { options + Self.commonOptions(formats: formats) }

  package static func commonOptions(formats: [Format] = Format.allCases) -> [Option] {
    let format = Option(
      "format", .choice(formats.map(\.rawValue)), "FORMAT",
      "How results are printed: \(formats.map(\.rawValue).joined(separator: ", ")).")
    return (formats.count > 1 ? [format] : []) + [.quiet, .verbose, .help]
  }
}

/// How results are printed.
package enum Format: String, CaseIterable, Sendable {
  /// For people.
  case text
  /// One JSON value.
  case json
  /// One JSON object a line, as soon as it is known.
  case jsonl
}

/// What a value on the command line is, for completions.
package enum ValueKind: Hashable, Sendable {
  case text
  case file
  case directory
  case choice([String])
  /// Any text; these are examples of it.
  case choiceOrText([String])
}

/// `--name`, `--name VALUE` or `--name=VALUE`.
package struct Option: Hashable, Sendable {
  package let name: String
  /// `-n`, for the few options that have it.
  package let letter: Character?
  /// What the value is; nil for an option without one.
  package let kind: ValueKind?
  /// How help calls the value.
  package let placeholder: String
  package let help: String
  package let isRepeatable: Bool

  /// An option with a value.
  package init(
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
  package init(flag name: String, letter: Character? = nil, _ help: String) {
    self.name = name
    self.letter = letter
    self.kind = nil
    self.placeholder = ""
    self.help = help
    self.isRepeatable = true
  }

  package static let format = Option(
    "format", .choice(Format.allCases.map(\.rawValue)), "FORMAT", "")
  package static let quiet = Option(
    flag: "quiet", letter: "q", "Print results and errors, nothing else.")
  package static let verbose = Option(flag: "verbose", letter: "v", "Print more of what is done.")
  package static let help = Option(flag: "help", letter: "h", "Print this help.")
}

/// A word without dashes.
package struct Argument: Hashable, Sendable {
  package enum Count: Hashable, Sendable {
    case one
    case optional
    case oneOrMore
    case any
  }

  package let placeholder: String
  package let kind: ValueKind
  package let count: Count
  package let help: String

  package init(_ placeholder: String, _ kind: ValueKind, _ count: Count = .one, _ help: String) {
    self.placeholder = placeholder
    self.kind = kind
    self.count = count
    self.help = help
  }

  /// As the usage line shows it.
  package var usage: String {
    switch count {
    case .one: placeholder
    case .optional: "[\(placeholder)]"
    case .oneOrMore: "\(placeholder)…"
    case .any: "[\(placeholder)…]"
    }
  }
}
