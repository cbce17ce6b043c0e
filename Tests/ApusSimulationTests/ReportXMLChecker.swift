// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Whether every tag is closed in its order, every attribute quoted and every bracket escaped.
enum XMLChecker {
  static func isWellFormed(_ text: String) -> Bool {
    var open: [Substring] = []
    var rest = text[...]
    while let bracket = rest.firstIndex(of: "<") {
      guard isText(rest[..<bracket]) else { return false }
      rest = rest[bracket...]
      if let tag = rest.prefixMatch(of: /<\/([A-Za-z][A-Za-z0-9]*)>/) {
        guard open.popLast() == tag.output.1 else { return false }
        rest = rest[tag.range.upperBound...]
      } else if let tag = rest.prefixMatch(
        of: /<([A-Za-z][A-Za-z0-9]*)((?:\s+[A-Za-z:-]+="[^"<]*")*)\s*(\/?)>/)
      {
        if tag.output.3.isEmpty { open.append(tag.output.1) }
        guard isText(tag.output.2) else { return false }
        rest = rest[tag.range.upperBound...]
      } else {
        return false
      }
    }
    return open.isEmpty && isText(rest)
  }

  private static func isText(_ text: Substring) -> Bool {
    var rest = text
    while let ampersand = rest.firstIndex(of: "&") {
      rest = rest[ampersand...]
      guard let entity = rest.prefixMatch(of: /&(amp|lt|gt|quot|#39);/) else { return false }
      rest = rest[entity.range.upperBound...]
    }
    return !text.contains(">")
  }
}
