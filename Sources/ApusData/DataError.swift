// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What this module throws: data that are missing, broken, or cannot be divided as asked.
public struct DataError: Error, Sendable {
  /// Which kind of thing went wrong; open, so that more can come.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
  }

  public let code: Code
  /// What happened, what was expected, what to do; begins with the file and the line, where known.
  public let message: String
  /// The file that is to blame, where there is one.
  public let file: String?
  /// Its line, from 1, in text formats.
  public let line: Int?

  public init(_ code: Code, file: String? = nil, line: Int? = nil, _ what: String) {
    self.code = code
    self.file = file
    self.line = line
    let place = [file, line.map(String.init)].compactMap(\.self).joined(separator: ":")
    message = place.isEmpty ? what : "\(place): \(what)"
  }
}

extension DataError: CustomStringConvertible {
  public var description: String { message }
}

extension DataError.Code {
  /// There is no such file.
  public static let missingFile = Self(rawValue: "missing-file")
  /// The operating system refused to read.
  public static let fileSystem = Self(rawValue: "file-system")
  /// A gzip file that is cut off, damaged, or fails its checksum.
  public static let corruptGzip = Self(rawValue: "corrupt-gzip")
  /// A file that inflates to more than it may.
  public static let tooLarge = Self(rawValue: "too-large")
  /// Bytes that are not what their format asks for.
  public static let malformed = Self(rawValue: "malformed")
  /// A well-formed file of a kind that is not read.
  public static let unsupported = Self(rawValue: "unsupported")
  /// A value that is missing where there must be one.
  public static let missingValue = Self(rawValue: "missing-value")
  /// A category or a class that was not among the known ones.
  public static let unknownCategory = Self(rawValue: "unknown-category")
  /// Files that should have as many rows as each other, and have not.
  public static let countMismatch = Self(rawValue: "count-mismatch")
  /// A file of a known data set with other bytes than the known ones.
  public static let digestMismatch = Self(rawValue: "digest-mismatch")
  /// No data set of that name.
  public static let unknownSet = Self(rawValue: "unknown-set")
  /// A known data set that is not on this machine.
  public static let missingSet = Self(rawValue: "missing-set")
  /// Rows cannot be divided among clients as asked.
  public static let impossibleSplit = Self(rawValue: "impossible-split")
}
