// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Reads a JSON5 text (json5.org, version 1.0.0) and remembers the line of everything in it.
///
/// Foundation reads JSON5 too, but it names no line, keeps one of two equal keys without a word, and
/// reads `\u0061` in a key as five letters.
package struct JSON5Parser {
  /// What is wrong with a text, and in which line.
  package struct Failure: Error {
    package var line: Int
    package var message: String
  }

  /// Objects and arrays in one another.
  package static let deepestNesting = 32

  private let scalars: [Unicode.Scalar]
  private var place = 0
  private var line = 1
  private let override: String?

  /// - Parameters:
  ///   - text: the text.
  ///   - override: the option that the text comes from, where it is not a file.
  package init(_ text: String, override: String? = nil) {
    scalars = Array(text.unicodeScalars)
    self.override = override
  }

  /// The one value that the text is.
  package mutating func parse() throws(Failure) -> JSON5Node {
    try skipSpace()
    let node = try value(depth: 0)
    try skipSpace()
    guard let next = peek else { return node }
    throw failure("\(shown(next)) after the end of the value, expected nothing more")
  }

  private var peek: Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }
  private var origin: JSON5Node.Origin { override.map { .override($0) } ?? .line(line) }

  private mutating func advance() {
    // A carriage return and its line feed are one end of a line.
    if isLineEnd(scalars[place]), !(scalars[place] == "\r" && following == "\n") { line += 1 }
    place += 1
  }

  private var following: Unicode.Scalar? {
    place + 1 < scalars.count ? scalars[place + 1] : nil
  }

  private func isLineEnd(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\n" || scalar == "\r" || scalar == "\u{2028}" || scalar == "\u{2029}"
  }

  private func failure(_ message: String) -> Failure { Failure(line: line, message: message) }

  private func shown(_ scalar: Unicode.Scalar?) -> String {
    guard let scalar else { return "the end of the text" }
    let isHidden = scalar.properties.generalCategory == .control || scalar == "'"
    return isHidden ? "U+\(String(scalar.value, radix: 16, uppercase: true))" : "'\(scalar)'"
  }

  // MARK: Values

  private mutating func value(depth: Int) throws(Failure) -> JSON5Node {
    guard depth <= Self.deepestNesting else {
      throw failure("objects nested deeper than \(Self.deepestNesting)")
    }
    let origin = origin
    switch peek {
    case "{": return JSON5Node(value: .object(try members(depth: depth)), origin: origin)
    case "[": return JSON5Node(value: .array(try elements(depth: depth)), origin: origin)
    case "\"", "'": return JSON5Node(value: .string(try string()), origin: origin)
    case let next? where "+-.0123456789".unicodeScalars.contains(next):
      return JSON5Node(value: .number(try number()), origin: origin)
    case let next? where isNameStart(next):
      let line = line
      switch try name() {
      case "true": return JSON5Node(value: .boolean(true), origin: origin)
      case "false": return JSON5Node(value: .boolean(false), origin: origin)
      case "null": return JSON5Node(value: .null, origin: origin)
      case "Infinity": return JSON5Node(value: .number("Infinity"), origin: origin)
      case "NaN": return JSON5Node(value: .number("NaN"), origin: origin)
      case let word:
        throw Failure(
          line: line,
          message: "the word \(word.prefix(40)), expected a value (text is written in quotes)")
      }
    case let next: throw failure("\(shown(next)), expected a value")
    }
  }

  private mutating func members(depth: Int) throws(Failure) -> [JSON5Node.Member] {
    var members: [JSON5Node.Member] = []
    var lines: [String: JSON5Node.Origin] = [:]
    advance()
    try skipSpace()
    while peek != "}" {
      let origin = origin
      let key: String
      switch peek {
      case "\"", "'": key = try string()
      case let next? where isNameStart(next): key = try name()
      case let next: throw failure("\(shown(next)), expected a key or '}'")
      }
      if case .line(let first)? = lines.updateValue(origin, forKey: key) {
        throw failure("the key \(key.prefix(40)) a second time, the first is in line \(first)")
      }
      try skipSpace()
      guard peek == ":" else {
        throw failure("\(shown(peek)) after the key \(key.prefix(40)), expected ':'")
      }
      advance()
      try skipSpace()
      members.append(.init(key: key, origin: origin, node: try value(depth: depth + 1)))
      try comma(before: "}")
    }
    advance()
    return members
  }

  private mutating func elements(depth: Int) throws(Failure) -> [JSON5Node] {
    var elements: [JSON5Node] = []
    advance()
    try skipSpace()
    while peek != "]" {
      elements.append(try value(depth: depth + 1))
      try comma(before: "]")
    }
    advance()
    return elements
  }

  /// What stands between two members: a comma, which the last one may have too.
  private mutating func comma(before end: Unicode.Scalar) throws(Failure) {
    try skipSpace()
    if peek == "," {
      advance()
      try skipSpace()
    } else if peek != end {
      throw failure("\(shown(peek)), expected ',' or '\(end)'")
    }
  }

  // MARK: Words, numbers, strings

  private mutating func name() throws(Failure) -> String {
    var name = String.UnicodeScalarView()
    while let next = peek {
      if next == "\\" {
        advance()
        guard peek == "u" else { throw failure("\\ in a key, expected \\u and four digits") }
        advance()
        name.append(try hexadecimal(digits: 4))
      } else if isNameStart(next) || next.properties.isIDContinue {
        name.append(next)
        advance()
      } else {
        break
      }
    }
    return String(name)
  }

  private func isNameStart(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "$" || scalar == "_" || scalar == "\\" || scalar.properties.isIDStart
  }

  /// A number's text, without a leading plus: a Swift literal, `Infinity` or `NaN`.
  private mutating func number() throws(Failure) -> String {
    var text = ""
    while let next = peek, next.isASCII,
      next == "+" || next == "-" || next == "." || isWordPart(next)
    {
      text.unicodeScalars.append(next)
      advance()
    }
    if text.hasPrefix("+") { text.removeFirst() }
    let unsigned = text.hasPrefix("-") ? text.dropFirst() : text[...]
    guard isNumber(unsigned) else { throw failure("\(text.prefix(40)), expected a number") }
    return text
  }

  private func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isAlphabetic || ("0"..."9") ~= scalar
  }

  private func isNumber(_ text: Substring) -> Bool {
    if text == "Infinity" || text == "NaN" { return true }
    if text.hasPrefix("0x") || text.hasPrefix("0X") {
      return text.count > 2 && text.dropFirst(2).allSatisfy(\.isHexDigit)
    }
    let parts = text.split(maxSplits: 1, omittingEmptySubsequences: false) {
      $0 == "e" || $0 == "E"
    }
    if parts.count == 2 {
      let digits = parts[1].first == "+" || parts[1].first == "-" ? parts[1].dropFirst() : parts[1]
      guard !digits.isEmpty, digits.allSatisfy({ ("0"..."9") ~= $0 }) else { return false }
    }
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    return mantissa.count <= 2 && mantissa.contains { !$0.isEmpty }
      && mantissa.allSatisfy { $0.allSatisfy { ("0"..."9") ~= $0 } }
      && !(mantissa[0].count > 1 && mantissa[0].first == "0")
  }

  private mutating func string() throws(Failure) -> String {
    let quote = scalars[place]
    let start = line
    var text = String.UnicodeScalarView()
    advance()
    while let next = peek, next != quote {
      if next == "\n" || next == "\r" { break }
      advance()
      if next != "\\" {
        text.append(next)
      } else if let escaped = try escape() {
        text.append(escaped)
      }
    }
    guard peek == quote else {
      throw Failure(line: start, message: "a string without its closing \(quote)")
    }
    advance()
    return String(text)
  }

  /// What follows a backslash; nil where it joins two lines.
  private mutating func escape() throws(Failure) -> Unicode.Scalar? {
    guard let letter = peek else { throw failure("the end of the text in a string") }
    let isJoint = isLineEnd(letter)
    if letter == "\r", following == "\n" { advance() }
    advance()
    if isJoint { return nil }
    switch letter {
    case "b": return "\u{8}"
    case "f": return "\u{C}"
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "v": return "\u{B}"
    case "0": return "\0"
    case "x": return try hexadecimal(digits: 2)
    case "u": return try hexadecimal(digits: 4)
    case "1"..."9":
      throw failure("\\\(letter) in a string, expected one of \\n, \\t, \\x41, \\u0041")
    default: return letter
    }
  }

  /// A character by its number; two halves of a surrogate pair are one.
  private mutating func hexadecimal(digits: Int) throws(Failure) -> Unicode.Scalar {
    let first = try hexadecimalNumber(digits: digits)
    if (0xD800..<0xDC00).contains(first), peek == "\\", following == "u" {
      advance()
      advance()
      let second = try hexadecimalNumber(digits: 4)
      guard (0xDC00..<0xE000).contains(second) else { throw failure("half a surrogate pair") }
      return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + second - 0xDC00) ?? "\u{FFFD}"
    }
    guard let scalar = Unicode.Scalar(first) else { throw failure("half a surrogate pair") }
    return scalar
  }

  private mutating func hexadecimalNumber(digits: Int) throws(Failure) -> UInt32 {
    var number: UInt32 = 0
    for _ in 0..<digits {
      guard let next = peek, let digit = Character(next).hexDigitValue else {
        throw failure("\(shown(peek)), expected \(digits) hexadecimal digits")
      }
      number = number << 4 | UInt32(digit)
      advance()
    }
    return number
  }

  // MARK: Space and comments

  private mutating func skipSpace() throws(Failure) {
    while let next = peek {
      if next == "/", following == "/" {
        while let next = peek, !isLineEnd(next) { advance() }
      } else if next == "/", following == "*" {
        let start = line
        advance()
        advance()
        while !(peek == "*" && following == "/") {
          guard peek != nil else {
            throw Failure(line: start, message: "a comment without its closing */")
          }
          advance()
        }
        advance()
        advance()
      } else if next.properties.isWhitespace || next == "\u{FEFF}" {
        advance()
      } else {
        return
      }
    }
  }
}
