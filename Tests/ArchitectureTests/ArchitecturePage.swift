// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The drawing and the table of `docs/Architecture.md`.
struct ArchitecturePage {
  /// The number of the line on which the drawing has each module.
  var lines: [String: Int] = [:]
  /// What the table lets each module import.
  var imports: [String: Set<String>] = [:]

  init(_ text: String, modules: Set<String>) {
    var isDrawing = false
    for line in text.split(separator: "\n") {
      if line.hasPrefix("```") {
        isDrawing.toggle()
      } else if isDrawing {
        let words = line.split(separator: " ")
        guard let number = words.first.flatMap({ Int($0) }) else { continue }
        for word in words where modules.contains(String(word)) { lines[String(word)] = number }
      } else if line.hasPrefix("| `") {
        let cells = line.split(separator: "|").map { Self.namesInCode($0) }
        guard cells.count == 3, let module = cells[0].first else { continue }
        imports[module] = Set(cells[2])
      }
    }
  }

  private static func namesInCode(_ cell: Substring) -> [String] {
    cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
  }
}
