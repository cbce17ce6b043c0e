// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What the columns of a CSV file mean.
public struct CSVSchema: Hashable, Sendable {
  /// What becomes of a column.
  public enum Role: Hashable, Sendable {
    /// A feature that is a number.
    case number
    /// A feature that is one of a few words: a 0 or 1 for each (one-hot), words in sorted order.
    case category
    /// The class to be told; nil for the words of the training rows, in sorted order.
    case targetClass([String]?)
    /// The number to be told.
    case targetNumber
    /// Neither.
    case ignored
  }

  /// One column.
  public struct Column: Hashable, Sendable {
    /// What messages and keys call it; the word in the header line, where there is one.
    public var name: String
    public var role: Role

    public init(_ name: String, _ role: Role) {
      self.name = name
      self.role = role
    }
  }

  /// What to do where a number is missing.
  ///
  /// A missing word is a category like any other.
  public enum MissingNumbers: Hashable, Sendable {
    /// It is an error.
    case refused
    /// It becomes the mean of the training rows.
    case mean
  }

  /// What to do with a word that no training row has.
  public enum UnknownCategories: Hashable, Sendable {
    /// It is an error.
    case refused
    /// Every categorical column has one slot more, for words that no training row has.
    case otherSlot
  }

  /// All columns, from the left.
  public var columns: [Column]
  /// Names of columns whose words are kept, so that rows can be divided by them.
  public var keys: [String] = []
  /// One byte of ASCII.
  public var separator: Character = ","
  /// Whether the first row has the columns' names, which must be those of ``columns``.
  public var hasHeader = false
  /// Lines that begin with one of these are no rows.
  public var commentPrefixes: [String] = []
  /// What stands for a missing value, besides nothing at all.
  public var missingMark = "?"
  public var missingNumbers = MissingNumbers.refused
  public var unknownCategories = UnknownCategories.refused
  /// Whether numbers are given mean 0 and deviation 1 over the training rows.
  public var isStandardized = true
  /// What is dropped from the end of a class's name, where it stands.
  public var classSuffix = ""

  /// - Precondition: there is exactly one target among the columns.
  public init(_ columns: [Column]) {
    self.columns = columns
    precondition(
      columns.count(where: \.isTarget) == 1, "A schema has one target among its columns.")
  }
}

extension CSVSchema.Column {
  var isTarget: Bool {
    switch role {
    case .targetClass, .targetNumber: true
    case .number, .category, .ignored: false
    }
  }

  /// Whether the column is read as a number.
  var isNumeric: Bool { role == .number || role == .targetNumber }
}
