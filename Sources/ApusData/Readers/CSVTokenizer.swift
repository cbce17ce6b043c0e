// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Cuts CSV text into rows and fields.
///
/// Fields may be quoted and then hold separators, line ends and doubled quotes; lines end with LF
/// or CRLF; blanks around a field do not count; empty lines are no rows.
///
/// > Y. Shafranovich. "Common format and MIME type for comma-separated values." RFC 4180.
struct CSVTokenizer {
  /// Where a field is.
  struct Field {
    var range: Range<Int>
    /// Whether quotes within are doubled.
    var hasDoubledQuotes = false
    var isQuoted = false
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private let file: String
  private let separator: UInt8
  private let commentPrefixes: [[UInt8]]
  private var position = 0
  private var nextLine = 1
  /// The line where the current row began, from 1.
  private(set) var line = 1

  init(
    _ bytes: UnsafeBufferPointer<UInt8>, file: String, separator: UInt8, commentPrefixes: [String]
  ) {
    self.bytes = bytes
    self.file = file
    self.separator = separator
    self.commentPrefixes = commentPrefixes.map { Array($0.utf8) }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  /// Reads one row; false when there are no more.
  mutating func next(_ fields: inout [Field]) throws(DataError) -> Bool {
    fields.removeAll(keepingCapacity: true)
    skipLinesWithoutFields()
    guard position < bytes.count else { return false }
    line = nextLine
    while true {
      fields.append(try nextField())
      guard position < bytes.count else { return true }
      let end = bytes[position]
      position += 1
      if end == UInt8(ascii: "\n") {
        nextLine += 1
        return true
      }
    }
  }

  /// The words of a field.
  func text(of field: Field) throws(DataError) -> String {
    var words = UnsafeBufferPointer(rebasing: bytes[field.range])
    if !field.isQuoted, words.last == UInt8(ascii: "\r") {
      words = UnsafeBufferPointer(rebasing: words.dropLast())
    }
    guard let text = String(validating: words, as: UTF8.self) else {
      throw DataError(
        .malformed, file: file, line: line, "is not UTF-8 text. Convert the file to UTF-8.")
    }
    guard field.hasDoubledQuotes else { return text }
    var unquoted = ""
    var isSecond = false
    for character in text.unicodeScalars {
      isSecond = character == "\"" && !isSecond
      if !isSecond { unquoted.unicodeScalars.append(character) }
    }
    return unquoted
  }

  /// Stops at the separator or the line's end.
  private mutating func nextField() throws(DataError) -> Field {
    skipBlanks()
    if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
      return try nextQuotedField()
    }
    let start = position
    while position < bytes.count, bytes[position] != separator,
      bytes[position] != UInt8(ascii: "\n")
    { position += 1 }
    var end = position
    while end > start, isBlank(bytes[end - 1]) { end -= 1 }
    return Field(range: start..<end)
  }

  private mutating func nextQuotedField() throws(DataError) -> Field {
    position += 1
    var field = Field(range: position..<position, isQuoted: true)
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\n") { nextLine += 1 }
      if byte == UInt8(ascii: "\"") {
        if position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "\"") {
          field.hasDoubledQuotes = true
          position += 1
        } else {
          field.range = field.range.lowerBound..<position
          position += 1
          skipBlanks()
          if position == bytes.count || bytes[position] == separator
            || bytes[position] == UInt8(ascii: "\n")
          {
            return field
          }
          throw DataError(
            .malformed, file: file, line: nextLine,
            "something follows a closing quote; expected a separator or the line's end.")
        }
      }
      position += 1
    }
    throw DataError(
      .malformed, file: file, line: line,
      "a quoted field that begins in this row is never closed. Add the missing quote.")
  }

  private func isBlank(_ byte: UInt8) -> Bool {
    (byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r"))
      && byte != separator
  }

  private mutating func skipBlanks() {
    while position < bytes.count, isBlank(bytes[position]) { position += 1 }
  }

  private mutating func skipLinesWithoutFields() {
    while position < bytes.count {
      let start = position
      skipBlanks()
      if position < bytes.count, bytes[position] == UInt8(ascii: "\n") {
        position += 1
        nextLine += 1
        continue
      }
      guard isComment(at: start) else {
        if position < bytes.count { position = start }
        return
      }
      while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
    }
  }

  private func isComment(at start: Int) -> Bool {
    commentPrefixes.contains { bytes[start...].starts(with: $0) }
  }
}
