// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// How rows of numbers and words become features, learned from the training rows alone.
public struct TabularEncoding: Sendable {
  private enum Feature: Sendable {
    /// (x − shift) / scale, and `mean` (before that) where x is missing.
    case number(column: Int, mean: Float, shift: Float, scale: Float)
    /// Slots of the words, sorted; one more at the end for others, where the schema asks for it.
    case category(column: Int, words: [String], slots: [String: Int])
  }

  private let schema: CSVSchema
  private let features: [Feature]
  private let target: Int
  /// The classes' names, class 0 first; nil where the target is a number.
  public let classNames: [String]?
  /// A name for each feature: the column's, or `column=word`.
  public let featureNames: [String]

  /// Learns the words, means and deviations (population's, in Double) of the training rows.
  ///
  /// A column whose numbers are all alike keeps deviation 1.
  /// - Throws: `missing-value` where there are no rows.
  public init(fitting rows: CSVRecords) throws(DataError) {
    guard rows.count > 0 else {
      throw DataError(.missingValue, file: rows.name, "has no rows; expected at least one.")
    }
    schema = rows.schema
    var features: [Feature] = []
    var names: [String] = []
    var (target, classes): (Int, [String]?) = (0, nil)
    for (index, column) in schema.columns.enumerated() {
      switch column.role {
      case .number:
        let (mean, deviation) = Self.moments(of: rows.numbers[index])
        let (shift, scale) = schema.isStandardized ? (mean, deviation) : (0, 1)
        features.append(.number(column: index, mean: mean, shift: shift, scale: scale))
        names.append(column.name)
      case .category:
        let words = rows.words[index].words.sorted()
        let slots = Dictionary(uniqueKeysWithValues: words.enumerated().map { ($1, $0) })
        features.append(.category(column: index, words: words, slots: slots))
        names += words.map { "\(column.name)=\($0)" }
        if schema.unknownCategories == .otherSlot { names.append("\(column.name)=(other)") }
      case .targetClass(let known):
        (target, classes) = (index, known ?? rows.words[index].words.sorted())
      case .targetNumber: (target, classes) = (index, nil)
      case .ignored: break
      }
    }
    self.features = features
    self.target = target
    classNames = classes
    featureNames = names
  }

  /// The rows as features and targets.
  ///
  /// - Parameter rows: of the schema that was fitted.
  /// - Returns: examples of shape [``featureNames``.count].
  /// - Throws: `unknown-category` for a word or a class that the training rows do not have.
  public func table(of rows: CSVRecords) throws(DataError) -> ExampleTable {
    let width = featureNames.count
    var inputs = [Float](repeating: 0, count: rows.count * width)
    var first = 0
    for feature in features {
      switch feature {
      case .number(let column, let mean, let shift, let scale):
        for (row, number) in rows.numbers[column].enumerated() {
          inputs[row * width + first] = ((number.isNaN ? mean : number) - shift) / scale
        }
        first += 1
      case .category(let column, let words, let slots):
        let other = schema.unknownCategories == .otherSlot ? words.count : nil
        let places = rows.words[column].words.map { slots[$0] ?? other }
        for (row, code) in rows.words[column].codes.enumerated() {
          guard let place = places[Int(code)] else { throw unknown(in: column, row: row, of: rows) }
          inputs[row * width + first + place] = 1
        }
        first += words.count + (other == nil ? 0 : 1)
      }
    }
    return ExampleTable(
      count: rows.count, inputShape: [width], inputs: .numbers(inputs),
      targets: try targets(of: rows))
  }

  private func targets(of rows: CSVRecords) throws(DataError) -> ExampleTable.Targets {
    guard let classNames else { return .values(rows.numbers[target], shape: [1]) }
    let classOf = rows.words[target].words.map { classNames.firstIndex(of: $0).map(Int32.init) }
    var classes: [Int32] = []
    classes.reserveCapacity(rows.count)
    for (row, code) in rows.words[target].codes.enumerated() {
      guard let known = classOf[Int(code)] else { throw unknown(in: target, row: row, of: rows) }
      classes.append(known)
    }
    return .classes(classes, classCount: classNames.count)
  }

  private func unknown(in column: Int, row: Int, of rows: CSVRecords) -> DataError {
    let words = rows.words[column]
    let word = words.words[Int(words.codes[row])].prefix(40)
    let isClass = column == target
    return DataError(
      .unknownCategory, file: rows.name, line: Int(rows.lines[row]),
      "column \(schema.columns[column].name) has \"\(word)\""
        + (isClass
          ? "; expected one of \((classNames ?? []).joined(separator: ", "))."
          : ", which no training row has. Mend the row, or give unknown words a slot of their own.")
    )
  }

  private static func moments(of numbers: [Float]) -> (mean: Float, deviation: Float) {
    let known = numbers.lazy.filter { !$0.isNaN }
    let count = known.reduce(0) { count, _ in count + 1 }
    guard count > 0 else { return (0, 1) }
    let mean = known.reduce(0.0) { $0 + Double($1) } / Double(count)
    let variance =
      known.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(count)
    return (Float(mean), variance > 0 ? Float(variance.squareRoot()) : 1)
  }
}
