// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// A device's examples in one CSV file, all of whose features are numbers.
struct LocalTable {
  private let file: LocalDataFile
  private let rows: CSVRecords

  init(_ file: LocalDataFile, in folder: String) throws(DataError) {
    self.file = file
    let contents = try FileContents(of: LocalData.join(folder, file.inputs))
    var columns = try Self.firstRow(contents, separator: file.separator)
    if !file.hasHeader { columns = columns.indices.map { "\($0 + 1)" } }
    let target = file.label ?? file.value ?? ""
    for column in [target] + file.ignored where !columns.contains(column) {
      throw DataError(
        .malformed, file: contents.name, line: 1,
        "there is no column \(column.prefix(40)); expected one of "
          + "\(columns.prefix(20).joined(separator: ", ")).")
    }
    guard columns.count(where: { $0 == target }) == 1, Set(columns).count == columns.count else {
      throw DataError(
        .malformed, file: contents.name, line: 1,
        "two columns have one name; expected different ones."
      )
    }
    let names: [String]? = if case .names(let names)? = file.classes { names } else { nil }
    var schema = CSVSchema(
      columns.map { column in
        if column == target {
          return .init(column, file.label == nil ? .targetNumber : .targetClass(names))
        }
        return .init(column, file.ignored.contains(column) ? .ignored : .number)
      })
    schema.separator = file.separator
    schema.hasHeader = file.hasHeader
    schema.isStandardized = false
    rows = try CSVRecords(parsing: contents, as: schema)
  }

  /// The names of the columns, from the first row.
  static func header(of path: String, separator: Character) throws(DataError) -> [String] {
    try firstRow(FileContents(of: path), separator: separator)
  }

  private static func firstRow(
    _ contents: FileContents, separator: Character
  ) throws(DataError) -> [String] {
    var tokenizer = CSVTokenizer(
      contents.region.bytes, file: contents.name, separator: separator.asciiValue ?? 44,
      commentPrefixes: [])
    var fields: [CSVTokenizer.Field] = []
    guard try tokenizer.next(&fields) else {
      throw DataError(.malformed, file: contents.name, "is empty; expected a table.")
    }
    var names: [String] = []
    for field in fields { names.append(try tokenizer.text(of: field)) }
    return names
  }

  func examples() throws(DataError) -> ExampleTable {
    let features = rows.schema.columns.indices.filter { rows.schema.columns[$0].role == .number }
    guard !features.isEmpty else {
      throw DataError(.malformed, file: rows.name, "has no column but the target's.")
    }
    let shape = file.shape ?? [features.count]
    guard shape.count == features.count else {
      throw DataError(
        .malformed, file: rows.name,
        "has \(features.count) features; \(LocalDataFile.name) says \(shape).")
    }
    let (scale, offset) = (file.scale ?? 1, file.offset ?? 0)
    let isScaled = file.scale != nil || file.offset != nil
    var numbers = [Float](repeating: 0, count: rows.count * features.count)
    for (place, column) in features.enumerated() {
      for (row, number) in rows.numbers[column].enumerated() {
        numbers[row * features.count + place] = isScaled ? number * scale + offset : number
      }
    }
    let inputs: ExampleTable.Inputs =
      file.isTokens ? .tokens(try tokens(numbers)) : .numbers(numbers)
    return ExampleTable(
      count: rows.count, inputShape: shape, inputs: inputs, targets: try targets())
  }

  private func tokens(_ numbers: [Float]) throws(DataError) -> [Int32] {
    guard let wrong = numbers.first(where: { Int32(exactly: $0) == nil }) else {
      return numbers.map { Int32($0) }
    }
    throw DataError(.malformed, file: rows.name, "has the token \(wrong); expected whole numbers.")
  }

  private func targets() throws(DataError) -> ExampleTable.Targets {
    let column = rows.schema.columns.firstIndex { $0.isTarget } ?? 0
    guard file.label != nil else { return .values(rows.numbers[column], shape: [1]) }
    guard let words = rows.words(of: rows.schema.columns[column].name) else {
      throw DataError(.missingValue, file: rows.name, "has no rows; expected at least one.")
    }
    if case .names(let names)? = file.classes {
      let numberOf = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, Int32($0)) })
      return .classes(
        try Self.classes(words) {
          numberOf[$0]
        } otherwise: { word in
          unknown(word, "one of \(names.prefix(20).joined(separator: ", "))")
        }, classCount: names.count)
    }
    let limit = Int32(clamping: file.classes?.count ?? 1 << 24)
    let classes = try Self.classes(words) { word in
      Int32(word).flatMap { 0..<limit ~= $0 ? $0 : nil }
    } otherwise: { word in
      unknown(
        word,
        file.classes == nil
          ? "a class's number from 0; say the names (classes: [\"…\", …]) where they are words"
          : "0..<\(limit)")
    }
    let classCount = file.classes?.count ?? Int(classes.max() ?? 0) + 1
    return .classes(classes, classCount: classCount)
  }

  /// The class of each row.
  private static func classes(
    _ words: CSVRecords.Words, _ number: (String) -> Int32?,
    otherwise failure: (String) -> DataError
  ) throws(DataError) -> [Int32] {
    var numbers: [Int32] = []
    for word in words.words {
      guard let number = number(word) else { throw failure(word) }
      numbers.append(number)
    }
    return words.codes.map { numbers[Int($0)] }
  }

  private func unknown(_ word: String, _ expected: String) -> DataError {
    DataError(
      .unknownCategory, file: rows.name,
      "column \(file.label ?? "") has \"\(word.prefix(40))\"; expected \(expected).")
  }
}
