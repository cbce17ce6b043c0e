// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import CQREncode

/// A text as a QR code of half blocks, two rows of squares in a line.
struct QRPicture {
  /// Rows of squares, true where they are dark.
  let squares: [[Bool]]

  /// - Returns: nil where the text is too long for a code.
  init?(of text: String) {
    // The lowest level of correction: a screen is neither dirty nor torn.
    guard let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L) else { return nil }
    defer { QRcode_free(code) }
    let width = Int(code.pointee.width)
    guard let data = code.pointee.data else { return nil }
    squares = (0..<width).map { row in
      (0..<width).map { column in data[row * width + column] & 1 == 1 }
    }
  }

  /// Columns that a line takes, the quiet zone included.
  var width: Int { squares.count + 2 * Self.margin }

  /// Light squares that readers want around a code; the standard's 4 is more than they need.
  private static let margin = 2

  /// The picture as text: dark squares are left out of light ones, as on a dark terminal.
  ///
  /// - Parameter usesColor: whether to say that light is white and dark is black, so that the picture is
  ///   right on a light terminal too.
  /// - Returns: lines, without their ends.
  func lines(usesColor: Bool) -> [String] {
    let range = -Self.margin..<squares.count + Self.margin
    return stride(from: range.lowerBound, to: range.upperBound, by: 2).map { row in
      let line = String(
        range.map { column -> Character in
          switch (isLight(row, column), isLight(row + 1, column)) {
          case (true, true): "█"
          case (true, false): "▀"
          case (false, true): "▄"
          case (false, false): " "
          }
        })
      return usesColor ? "\u{1B}[97;40m\(line)\u{1B}[0m" : line
    }
  }

  private func isLight(_ row: Int, _ column: Int) -> Bool {
    guard squares.indices.contains(row), squares.indices.contains(column) else {
      return row < squares.count + Self.margin
    }
    return !squares[row][column]
  }
}
