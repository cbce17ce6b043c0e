// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData

/// The words of one command, sorted into arguments and options.
package struct Words: Sendable {
  package let grammar: Grammar
  package private(set) var arguments: [String] = []
  private var values: [String: [String]] = [:]

  /// - Throws: for an option that there is not, a value that misses or is none of the choices, and too
  ///   many or too few arguments; not where help is asked for.
  package init(_ words: some Sequence<String>, for grammar: Grammar) throws(UsageError) {
    self.grammar = grammar
    var rest = Array(words)[...]
    while let word = rest.popFirst() {
      if word == "--" {
        arguments += rest
        break
      } else if word.hasPrefix("-"), word != "-" {
        try take(word, &rest)
      } else {
        arguments.append(word)
      }
    }
    if !contains(.help) { try checkArguments() }
  }

  private mutating func take(_ word: String, _ rest: inout ArraySlice<String>) throws(UsageError) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let known = grammar.allOptions
    let found = known.first {
      "--\($0.name)" == parts[0] || $0.letter.map { "-\($0)" == parts[0] } ?? false
    }
    guard let option = found else {
      let near = Spelling.nearest(
        to: String(parts[0].drop { $0 == "-" }), among: known.map(\.name))
      throw failure(
        "unknown option \(parts[0])" + (near.map { " (did you mean --\($0)?)" } ?? ""))
    }
    guard let kind = option.kind else {
      if parts.count > 1 { throw failure("--\(option.name) takes no value") }
      values[option.name, default: []].append("")
      return
    }
    guard let value = parts.count > 1 ? String(parts[1]) : rest.popFirst() else {
      throw failure("--\(option.name) misses its value, expected \(expected(of: option))")
    }
    if parts.count == 1, known.contains(where: { "--\($0.name)" == value }) {
      throw failure("--\(option.name) misses its value, expected \(expected(of: option))")
    }
    if case .choice(let choices) = kind, !choices.contains(value) {
      throw failure(
        "--\(option.name) \(value)", expected: expected(of: option), value: value, among: choices)
    }
    if !option.isRepeatable, values[option.name] != nil {
      throw failure("--\(option.name) is given twice")
    }
    values[option.name, default: []].append(value)
  }

  private func expected(of option: Option) -> String {
    guard case .choice(let choices)? = option.kind else { return option.placeholder }
    return choices.joined(separator: ", ")
  }

  private func checkArguments() throws(UsageError) {
    let least = grammar.arguments.count { $0.count == .one || $0.count == .oneOrMore }
    let isOpen = grammar.arguments.contains { $0.count == .oneOrMore || $0.count == .any }
    if arguments.count < least {
      let missing = grammar.arguments.filter { $0.count == .one || $0.count == .oneOrMore }
      let argument = missing[arguments.count]
      throw failure("\(argument.placeholder) is missing: \(argument.help)")
    }
    if !isOpen, arguments.count > grammar.arguments.count {
      throw failure("unexpected argument \(arguments[grammar.arguments.count])")
    }
    for (argument, value) in zip(grammar.arguments, arguments) {
      guard case .choice(let choices) = argument.kind, !choices.contains(value) else { continue }
      throw failure(
        "\(argument.placeholder) \(value)", expected: choices.joined(separator: ", "), value: value,
        among: choices)
    }
  }

  // MARK: What commands read

  package func contains(_ option: Option) -> Bool { values[option.name] != nil }

  package func value(_ option: Option) -> String? { values[option.name]?.last }

  package func values(_ option: Option) -> [String] { values[option.name] ?? [] }

  package func argument(_ index: Int = 0) -> String? {
    index < arguments.count ? arguments[index] : nil
  }

  /// The value of an option as a whole number in a range.
  package func integer<I: FixedWidthInteger>(_ option: Option, in range: ClosedRange<I>)
    throws(UsageError) -> I?
  {
    guard let text = value(option) else { return nil }
    guard let value = I(text), range.contains(value) else {
      throw failure(
        "--\(option.name) \(text), expected a whole number from \(range.lowerBound) to "
          + "\(range.upperBound)")
    }
    return value
  }

  package var format: Format { value(.format).flatMap(Format.init(rawValue:)) ?? .text }

  /// An error that names this command.
  package func failure(_ message: String) -> UsageError {
    UsageError(message, command: grammar.name)
  }

  /// An error for a value that is none of some words.
  package func failure(
    _ what: String, expected: String, value: String, among words: [String]
  ) -> UsageError {
    let near = Spelling.nearest(to: value, among: words)
    return failure("\(what), expected \(expected)" + (near.map { " (did you mean \($0)?)" } ?? ""))
  }
}
