// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The rows of a CSV file, column by column, as the file has them.
public struct CSVRecords: Sendable {
  /// Words of a column: the different ones, in order of appearance, and which one each row has.
  public struct Words: Sendable {
    public internal(set) var words: [String] = []
    public internal(set) var codes: [Int32] = []
    var codeOf: [String: Int32] = [:]

    mutating func append(_ word: String) {
      if let code = codeOf[word] { return codes.append(code) }
      let code = Int32(words.count)
      codeOf[word] = code
      words.append(word)
      codes.append(code)
    }
  }

  public let schema: CSVSchema
  /// What messages call the file.
  public let name: String
  /// How many rows there are.
  public private(set) var count = 0
  /// By column, empty for columns of words; NaN where a number is missing.
  package internal(set) var numbers: [[Float]]
  /// By column; empty for columns of numbers that are no keys.
  private(set) var words: [Words]
  /// The line of each row, from 1, for messages.
  private(set) var lines: [Int32] = []

  /// Reads text of the schema's columns.
  ///
  /// - Throws: `malformed` for a row with too few or too many fields, a number that is none, an
  ///   open quote; `missing-value`; each with its line.
  public init(parsing file: FileContents, as schema: CSVSchema) throws(DataError) {
    self.schema = schema
    name = file.name
    numbers = Array(repeating: [], count: schema.columns.count)
    words = Array(repeating: Words(), count: schema.columns.count)
    guard let separator = schema.separator.asciiValue else {
      preconditionFailure("A CSV separator is one byte of ASCII, not \(schema.separator).")
    }
    var tokenizer = CSVTokenizer(
      file.region.bytes, file: name, separator: separator, commentPrefixes: schema.commentPrefixes)
    var fields: [CSVTokenizer.Field] = []
    if schema.hasHeader { try checkHeader(&tokenizer) }
    let isKey = schema.columns.map { schema.keys.contains($0.name) }
    while try tokenizer.next(&fields) {
      guard fields.count == schema.columns.count else {
        throw DataError(
          .malformed, file: name, line: tokenizer.line,
          "has \(fields.count) fields; expected \(schema.columns.count), "
            + "from \(schema.columns[0].name) to \(schema.columns.last?.name ?? "").")
      }
      for (index, column) in schema.columns.enumerated() {
        if column.role == .ignored && !isKey[index] { continue }
        let text = try tokenizer.text(of: fields[index])
        if column.isNumeric {
          numbers[index].append(try number(text, of: column, line: tokenizer.line))
        }
        if !column.isNumeric || isKey[index] { words[index].append(trimmed(text, column)) }
      }
      lines.append(Int32(clamping: tokenizer.line))
      count += 1
    }
  }

  /// The words of a key, or of another column of words; nil where there is no such column.
  public func words(of column: String) -> Words? {
    guard let index = schema.columns.firstIndex(where: { $0.name == column }),
      words[index].codes.count == count
    else { return nil }
    return words[index]
  }

  private func checkHeader(_ tokenizer: inout CSVTokenizer) throws(DataError) {
    var fields: [CSVTokenizer.Field] = []
    guard try tokenizer.next(&fields) else {
      throw DataError(.malformed, file: name, "is empty; expected a header line.")
    }
    var found: [String] = []
    for field in fields { found.append(try tokenizer.text(of: field)) }
    let expected = schema.columns.map(\.name)
    guard found == expected else {
      throw DataError(
        .malformed, file: name, line: tokenizer.line,
        "the header is \(found.joined(separator: ", ")); "
          + "expected \(expected.joined(separator: ", ")).")
    }
  }

  private func number(
    _ text: String, of column: CSVSchema.Column, line: Int
  ) throws(DataError) -> Float {
    if text.isEmpty || text == schema.missingMark {
      guard column.role == .number, schema.missingNumbers == .mean else {
        throw DataError(
          .missingValue, file: name, line: line,
          "column \(column.name) has no value; expected a number. "
            + "Remove the row, or let missing numbers become the mean.")
      }
      return .nan
    }
    guard let number = Float(text), number.isFinite, !text.utf8.contains(where: { $0 | 32 == 120 })
    else {
      throw DataError(
        .malformed, file: name, line: line,
        "column \(column.name) has \"\(text.prefix(40))\"; expected a number.")
    }
    return number
  }

  private func trimmed(_ text: String, _ column: CSVSchema.Column) -> String {
    guard column.isTarget, !schema.classSuffix.isEmpty, text.hasSuffix(schema.classSuffix) else {
      return text
    }
    return String(text.dropLast(schema.classSuffix.count))
  }
}

extension CSVRecords {
  /// Some of the rows, in the order asked for; columns of words have only the words of these.
  package func selecting(_ rows: some Collection<Int>) -> CSVRecords {
    var selection = self
    selection.count = rows.count
    selection.lines = rows.map { lines[$0] }
    selection.numbers = numbers.map { column in column.isEmpty ? [] : rows.map { column[$0] } }
    selection.words = words.map { column in
      var selected = Words()
      if !column.codes.isEmpty {
        for row in rows { selected.append(column.words[Int(column.codes[row])]) }
      }
      return selected
    }
    return selection
  }
}
