// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Rows in columns of equal width, two spaces apart.
package struct Table {
  package struct Column {
    package enum Side { case left, right }

    package var title: String
    package var side: Side
    /// At least so many characters, for rows that are not known yet.
    package var width: Int

    package init(title: String, side: Side = .right, width: Int = 0) {
      self.title = title
      self.side = side
      self.width = width
    }
  }

  package let columns: [Column]

  package init(_ columns: [Column]) {
    self.columns = columns.map { column in
      var column = column
      column.width = max(column.width, column.title.count)
      return column
    }
  }

  /// Columns as wide as their widest cell.
  package init(_ columns: [Column], fitting rows: [[String]]) {
    self.init(
      columns.enumerated().map { index, column in
        var column = column
        column.width = rows.reduce(column.width) { max($0, $1[index].count) }
        return column
      })
  }

  package var header: String { row(columns.map(\.title)) }

  package func row(_ cells: [String]) -> String {
    var line = zip(columns, cells).map { column, cell in
      let space = String(repeating: " ", count: max(0, column.width - cell.count))
      return column.side == .left ? cell + space : space + cell
    }.joined(separator: "  ")
    while line.last == " " { line.removeLast() }
    return line
  }

  /// All of a small table.
  package static func print(_ columns: [Column], _ rows: [[String]], on console: Console) {
    let table = Table(columns, fitting: rows)
    console.print(console.output.styled(table.header, .bold))
    for row in rows { console.print(table.row(row)) }
  }
}

/// Numbers as tables show them.
package enum Cell {
  package static func fixed(_ value: Double?, digits: Int) -> String {
    guard let value else { return "–" }
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = (abs(value) * scale).rounded()
    let whole = (scaled / scale).rounded(.down)
    let rest = Int(scaled - whole * scale)
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(Int(whole))" }
    let decimals = String(rest)
    return "\(sign)\(Int(whole))."
      + String(repeating: "0", count: max(0, digits - decimals.count)) + decimals
  }

  /// 97.12 %.
  package static func percent(_ value: Double?) -> String {
    value.map { fixed($0 * 100, digits: 2) + " %" } ?? "–"
  }

  /// A time as people say it.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "–" }
    if seconds < 9.95 { return fixed(seconds, digits: 1) + " s" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    if whole < 3600 { return "\(whole / 60) min \(two(whole % 60)) s" }
    return "\(whole / 3600) h \(two(whole / 60 % 60)) min"
  }

  /// 1.2 MB.
  package static func bytes(_ value: UInt64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB"]
    var (number, unit) = (Double(value), "B")
    for larger in units where number >= 999.5 {
      number /= 1000
      unit = larger
    }
    return "\(fixed(number, digits: unit == "B" || number >= 99.95 ? 0 : 1)) \(unit)"
  }

  /// 1,663,370.
  package static func count(_ value: some BinaryInteger) -> String {
    let digits = Array(String(value.magnitude))
    var text = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
      text.append(digit)
    }
    return text
  }
}
