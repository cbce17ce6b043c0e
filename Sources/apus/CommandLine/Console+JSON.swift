// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import Foundation

extension Console {
  /// A result as JSON: over several lines, or on one where the format is a value a line.
  func print(json value: some Encodable) throws {
    print(try Self.json(value, isPretty: format == .json))
  }

  /// A value as one line of JSON.
  func jsonLine(_ value: some Encodable) throws -> String { try Self.json(value, isPretty: false) }

  /// Several results: an array, or one a line.
  func print(jsonRows values: [some Encodable]) throws {
    guard format == .jsonl else { return try print(json: values) }
    for value in values { try print(json: value) }
  }

  private static func json(_ value: some Encodable, isPretty: Bool) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
