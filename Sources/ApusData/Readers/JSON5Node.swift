// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A value of a JSON5 text and where it was written.
package struct JSON5Node: Sendable {
  package enum Value: Sendable {
    case null
    case boolean(Bool)
    /// As written, so that a 64-bit integer or a decimal fraction is read without a detour.
    case number(String)
    case string(String)
    case array([JSON5Node])
    case object([Member])
  }

  package struct Member: Sendable {
    package var key: String
    /// Where the key stands.
    package var origin: Origin
    package var node: JSON5Node

    package init(key: String, origin: Origin, node: JSON5Node) {
      self.key = key
      self.origin = origin
      self.node = node
    }
  }

  /// Who said a value.
  package enum Origin: Hashable, Sendable {
    /// A line of the text, counted from 1.
    case line(Int)
    /// `key.path=value` on the command line.
    case override(String)
  }

  package var value: Value
  package var origin: Origin

  package init(value: Value, origin: Origin) {
    self.value = value
    self.origin = origin
  }

  /// The member of an object with a key.
  package subscript(key: String) -> JSON5Node? {
    guard case .object(let members) = value else { return nil }
    return members.first { $0.key == key }?.node
  }

  /// The deepest value on a path that there is.
  package func nearest(on path: some Sequence<String>) -> JSON5Node {
    var node = self
    for key in path {
      guard let next = node[key] else { break }
      node = next
    }
    return node
  }
}

extension JSON5Node: CustomStringConvertible {
  /// The value as a message shows it, at most some forty characters of it.
  package var description: String {
    switch value {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .number(let text): Self.shortened(text)
    case .string(let text): "\"\(Self.shortened(text))\""
    case .array: "an array"
    case .object: "an object"
    }
  }

  private static func shortened(_ text: String) -> String {
    let escaped = text.unicodeScalars.prefix(41).map {
      $0.properties.generalCategory == .control ? "\u{FFFD}" : String($0)
    }
    return escaped.prefix(40).joined() + (escaped.count > 40 ? "…" : "")
  }
}
