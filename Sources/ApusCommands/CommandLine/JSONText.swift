// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A JSON value to be printed by a program that has no Foundation, in the form that Foundation prints.
package enum JSONText: Sendable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case unsigned(UInt64)
  case number(Double)
  case text(String)
  case array([JSONText])
  /// Members by key; they are printed in the order of their keys.
  case object([String: JSONText])

  /// An object; what is nil is left out.
  package static func members(_ members: KeyValuePairs<String, JSONText?>) -> JSONText {
    var object: [String: JSONText] = [:]
    for (key, value) in members { object[key] = value }
    return .object(object)
  }

  /// All on one line.
  package var line: String {
    var text = ""
    write(to: &text, indentation: nil)
    return text
  }

  /// On lines of their own, two spaces deeper for each level.
  package var pretty: String {
    var text = ""
    write(to: &text, indentation: 0)
    return text
  }

  private func write(to text: inout String, indentation: Int?) {
    switch self {
    case .null: text += "null"
    case .boolean(let value): text += value ? "true" : "false"
    case .integer(let value): text += "\(value)"
    case .unsigned(let value): text += "\(value)"
    case .number(let value): text += Self.number(value)
    case .text(let value): text += Self.quoted(value)
    case .array(let values):
      Self.write(values.map { ("", $0) }, between: "[", "]", to: &text, indentation: indentation)
    case .object(let members):
      let mark = indentation == nil ? ":" : " : "
      let sorted = members.sorted { $0.key < $1.key }.map { (Self.quoted($0.key) + mark, $0.value) }
      Self.write(sorted, between: "{", "}", to: &text, indentation: indentation)
    }
  }

  private static func write(
    _ parts: [(before: String, value: JSONText)], between begin: String, _ end: String,
    to text: inout String, indentation: Int?
  ) {
    func newLine(_ depth: Int) {
      if let indentation { text += "\n" + String(repeating: "  ", count: indentation + depth) }
    }
    text += begin
    for (index, part) in parts.enumerated() {
      if index > 0 { text += "," }
      newLine(1)
      text += part.before
      part.value.write(to: &text, indentation: indentation.map { $0 + 1 })
    }
    newLine(0)
    text += end
  }

  /// The shortest text that reads back as the value; what JSON has no number for is a text.
  private static func number(_ value: Double) -> String {
    guard value.isFinite else {
      return value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\""
    }
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func quoted(_ value: String) -> String {
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
