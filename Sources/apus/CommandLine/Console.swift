// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Where a command prints: results on one side, all else on the other.
struct Console: Sendable {
  enum Verbosity: Int, Comparable, Sendable {
    case quiet, usual, verbose

    static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  /// Standard output: results.
  let output: Terminal
  /// Standard error: messages, progress, errors.
  let messages: Terminal
  let environment: [String: String]
  var format = Format.text
  var verbosity = Verbosity.usual

  /// A line of the result.
  func print(_ line: String) { output.print(line + "\n") }

  /// A result as JSON: over several lines, or on one where the format is a value a line.
  func print(json value: some Encodable) throws {
    print(try Self.json(value, isPretty: format == .json))
  }

  /// A value as one line of JSON.
  func jsonLine(_ value: some Encodable) throws -> String { try Self.json(value, isPretty: false) }

  private static func json(_ value: some Encodable, isPretty: Bool) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// Several results: an array, or one a line.
  func print(jsonRows values: [some Encodable]) throws {
    guard format == .jsonl else { return try print(json: values) }
    for value in values { try print(json: value) }
  }

  /// What a person may want to know.
  func note(_ line: String) {
    if verbosity >= .usual { messages.print(line + "\n") }
  }

  /// What helps to find out why.
  func detail(_ line: String) {
    if verbosity == .verbose { messages.print(line + "\n") }
  }

  /// What went wrong.
  func complain(_ line: String) {
    messages.print(messages.styled("apus:", .red) + " \(line)\n")
  }
}
