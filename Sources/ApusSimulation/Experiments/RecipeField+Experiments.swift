// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData

extension Recipe {
  /// The root of a JSON5 text that is not a recipe but is read as strictly.
  static func field(
    parsing bytes: some Collection<UInt8>, file: String
  ) throws(SimulationError) -> RecipeField {
    RecipeField(node: try tree(of: bytes, file: file), path: [], file: file)
  }
}

extension RecipeField {
  /// The members of an object whose keys are names, in the text's order.
  func entries() throws(SimulationError) -> [(String, RecipeField)] {
    guard case .object(let members) = node.value else {
      throw failure(node.description, expected: "an object")
    }
    return members.map {
      ($0.key, RecipeField(node: $0.node, path: path + [$0.key], file: file))
    }
  }

  /// The elements of an array that has some.
  func filledElements(_ expected: String) throws(SimulationError) -> [RecipeField] {
    let elements = try elements()
    guard !elements.isEmpty else { throw failure("an empty array", expected: expected) }
    return elements
  }

  /// The elements of an array.
  func elements() throws(SimulationError) -> [RecipeField] {
    guard case .array(let nodes) = node.value else {
      throw failure(node.description, expected: "an array")
    }
    return nodes.enumerated().map {
      RecipeField(node: $0.element, path: path + ["\($0.offset)"], file: file)
    }
  }
}

extension JSON5Node {
  /// The value as JSON5, for `--set`.
  var source: String {
    switch value {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .number(let text): text
    case .string(let text): Self.quoted(text)
    case .array(let nodes): "[\(nodes.map(\.source).joined(separator: ", "))]"
    case .object(let members):
      "{ "
        + members.map { "\(Self.quoted($0.key)): \($0.node.source)" }.joined(separator: ", ")
        + " }"
    }
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
