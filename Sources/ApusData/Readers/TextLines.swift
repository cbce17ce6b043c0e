// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The lines of a UTF-8 file.
///
/// Only LF and CRLF end a line: other characters that Unicode calls line ends may be part of a
/// text.
public struct TextLines: Sendable {
  /// What messages call the file.
  public let name: String
  /// Without their ends; nothing after the last line's end.
  public let lines: [String]

  /// Reads text.
  ///
  /// - Throws: `malformed`, with the line, for bytes that are not UTF-8.
  public init(parsing file: FileContents) throws(DataError) {
    name = file.name
    let bytes = file.region.bytes
    var lines: [String] = []
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      var line = UnsafeBufferPointer(rebasing: bytes[start..<end])
      if line.last == UInt8(ascii: "\r") { line = UnsafeBufferPointer(rebasing: line.dropLast()) }
      guard let text = String(validating: line, as: UTF8.self) else {
        throw DataError(
          .malformed, file: name, line: lines.count + 1,
          "is not UTF-8 text. Convert the file to UTF-8.")
      }
      lines.append(text)
      start = end + 1
    }
    self.lines = lines
  }

  /// Every line cut at the separator (a tab where nothing else is said).
  ///
  /// - Parameters:
  ///   - count: how many columns each line must have.
  ///   - separator: between columns.
  /// - Returns: lines × columns.
  /// - Throws: `malformed`, with the line, for another number of columns.
  public func columns(
    _ count: Int, separatedBy separator: Character = "\t"
  ) throws(DataError) -> [[Substring]] {
    var rows: [[Substring]] = []
    rows.reserveCapacity(lines.count)
    for (index, line) in lines.enumerated() {
      let row = line.split(separator: separator, omittingEmptySubsequences: false)
      guard row.count == count else {
        throw DataError(
          .malformed, file: name, line: index + 1,
          "has \(row.count) columns; expected \(count), separated by \(separator.debugDescription)."
        )
      }
      rows.append(row)
    }
    return rows
  }
}
