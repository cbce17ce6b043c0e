// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData

extension JSON5Node {
  /// Puts the value of `key.path=value` in its place; objects on the way are made where they miss.
  ///
  /// - Parameter override: the value is read as JSON5, and as text where it is none.
  /// - Throws: `invalid-recipe`, naming the option.
  mutating func apply(_ override: String) throws(SimulationError) {
    let shown = "--set " + override.prefix(120) + (override.count > 120 ? "…" : "")
    guard let equals = override.firstIndex(of: "=") else {
      throw SimulationError(.invalidRecipe, "\(shown): no '=', expected key.path=value")
    }
    let path = override[..<equals].split(separator: ".", omittingEmptySubsequences: false)
    guard path.count <= JSON5Parser.deepestNesting, path.allSatisfy({ !$0.isEmpty }) else {
      throw SimulationError(
        .invalidRecipe, "\(shown): not a key path, expected for example cohort.fraction=0.1")
    }
    let text = String(override[override.index(after: equals)...])
    guard text.utf8.count <= 65_536 else {
      throw SimulationError(.invalidRecipe, "\(shown): the value is too long")
    }
    var parser = JSON5Parser(text, override: shown)
    let value = (try? parser.parse()) ?? JSON5Node(value: .string(text), origin: .override(shown))
    try put(value, at: path.map(String.init)[...], from: shown)
  }

  private mutating func put(_ node: JSON5Node, at path: ArraySlice<String>, from override: String)
    throws(SimulationError)
  {
    guard let key = path.first else {
      self = node
      return
    }
    guard case .object(var members) = value else {
      throw SimulationError(
        .invalidRecipe,
        "\(override): cannot set \(path.joined(separator: ".")) inside of \(self), expected an object"
          + " there; set the object as a whole, as in 'split={ dirichlet: { alpha: 0.1 } }'")
    }
    if let place = members.firstIndex(where: { $0.key == key }) {
      try members[place].node.put(node, at: path.dropFirst(), from: override)
    } else {
      var made = JSON5Node(value: .object([]), origin: .override(override))
      try made.put(node, at: path.dropFirst(), from: override)
      members.append(Member(key: key, origin: .override(override), node: made))
    }
    value = .object(members)
  }
}
