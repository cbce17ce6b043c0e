// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Reads what Swift files import.
enum SourceFile {
  /// What comes with the toolchain; anything else is a target of this package.
  static let platformModules: Set<String> = [
    "Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Musl", "Darwin",
    "Synchronization", "Testing",
  ]

  private static let keywords: Set<Substring> = [
    "struct", "class", "enum", "protocol", "typealias", "func", "let", "var",
  ]

  static func swiftFiles(under folder: URL) -> [URL] {
    let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    return (found?.allObjects ?? []).compactMap { $0 as? URL }
      .filter { $0.pathExtension == "swift" }
  }

  static func importedModules(of file: URL) throws -> [String] {
    importedModules(in: try String(contentsOf: file, encoding: .utf8))
  }

  static func importedModules(in text: String) -> [String] {
    var isInText = false
    return text.split(separator: "\n").compactMap { line in
      // Lines of a literal of many lines are no code.
      let endsCode = line.ranges(of: "\"\"\"").count.isMultiple(of: 2) == false
      defer { if endsCode { isInText.toggle() } }
      guard !isInText else { return nil }
      let words = line.split(separator: " ")
      guard let place = words.firstIndex(of: "import"),
        words[..<place].allSatisfy({ isModifier($0) })
      else { return nil }
      return words[(place + 1)...].first { !keywords.contains($0) }
        .map { String($0.prefix { $0 != "." }) }
    }
  }

  private static func isModifier(_ word: Substring) -> Bool {
    word.hasPrefix("@")
      || ["public", "package", "internal", "fileprivate", "private"].contains(word)
  }
}
