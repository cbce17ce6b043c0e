// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData

/// A value in a recipe with the key path to it, read as one type or refused with its place.
struct RecipeField {
  let node: JSON5Node
  let path: [String]
  /// The file as its messages name it.
  let file: String

  /// An error at this value.
  func failure(_ what: String, expected: String, at origin: JSON5Node.Origin? = nil)
    -> SimulationError
  {
    let place =
      switch origin ?? node.origin {
      case .line(let line): "\(file):\(line)"
      case .override(let text): text
      }
    let subject = path.isEmpty ? "" : "\(path.joined(separator: ".")): "
    return SimulationError(.invalidRecipe, "\(place): \(subject)\(what), expected \(expected)")
  }

  private func mismatch(expected: String) -> SimulationError {
    failure(node.description, expected: expected)
  }

  func string() throws(SimulationError) -> String {
    guard case .string(let text) = node.value else { throw mismatch(expected: "text in quotes") }
    return text
  }

  func boolean() throws(SimulationError) -> Bool {
    guard case .boolean(let value) = node.value else {
      throw mismatch(expected: "true or false")
    }
    return value
  }

  /// A whole number; 1e3 and 0x10 are whole too.
  func integer<I: FixedWidthInteger>(as type: I.Type = Int.self) throws(SimulationError) -> I {
    guard case .number(let text) = node.value else { throw mismatch(expected: "a whole number") }
    let isNegative = text.hasPrefix("-")
    let digits = isNegative ? text.dropFirst() : text[...]
    let value: I? =
      if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
        I((isNegative ? "-" : "") + digits.dropFirst(2), radix: 16)
      } else {
        I(text) ?? Double(text).flatMap { abs($0) <= 0x1p53 ? I(exactly: $0) : nil }
      }
    guard let value else {
      throw mismatch(expected: "a whole number from \(I.min) to \(I.max)")
    }
    return value
  }

  func number() throws(SimulationError) -> Double {
    try number { Double($0) }
  }

  func float() throws(SimulationError) -> Float {
    try number { Float($0) }
  }

  private func number<F: BinaryFloatingPoint>(_ read: (String) -> F?) throws(SimulationError) -> F {
    // Swift reads a hexadecimal whole number, ".5" needs its zero, and "5." must lose its point.
    guard case .number(let text) = node.value else { throw mismatch(expected: "a number") }
    var plain = text.replacing("-.", with: "-0.")
    if plain.hasPrefix(".") { plain = "0" + plain }
    plain = plain.replacing(".e", with: "e").replacing(".E", with: "e")
    if plain.hasSuffix(".") { plain.removeLast() }
    guard let value = read(plain) else { throw mismatch(expected: "a number") }
    return value
  }

  /// The members of an object that has no keys but these.
  func members(allowing keys: [String]) throws(SimulationError) -> RecipeObject {
    guard case .object(let members) = node.value else {
      throw mismatch(expected: "an object with \(Self.list(keys, "and"))")
    }
    for member in members where !keys.contains(member.key) {
      let field = RecipeField(node: member.node, path: path + [member.key], file: file)
      throw field.failure(
        "unknown key", expected: Self.list(keys, "or") + Self.suggestion(for: member.key, in: keys),
        at: member.origin)
    }
    return RecipeObject(field: self)
  }

  /// One of some kinds, written as its name, or as `{ name: { … } }` where it has settings.
  ///
  /// - Parameter kinds: the names, and whether the name alone is enough.
  /// - Returns: the name, and its settings, which are an empty object where there are none.
  /// - Throws: `invalid-recipe`.
  func kind(of kinds: KeyValuePairs<String, Bool>) throws(SimulationError) -> (
    name: String, settings: RecipeField
  ) {
    let names = kinds.map { $0.key }
    let forms = kinds.map { $0.value ? "\"\($0.key)\"" : "{ \($0.key): { … } }" }
    let expected = Self.list(forms, "or")
    switch node.value {
    case .string(let name):
      guard let kind = kinds.first(where: { $0.key == name }) else {
        throw failure(
          node.description, expected: expected + Self.suggestion(for: name, in: names))
      }
      guard kind.value else {
        throw failure(node.description, expected: "{ \(name): { … } }, for it has settings")
      }
      let empty = JSON5Node(value: .object([]), origin: node.origin)
      return (name, RecipeField(node: empty, path: path + [name], file: file))
    case .object(let members) where members.count == 1:
      _ = try self.members(allowing: names)
      let settings = RecipeField(
        node: members[0].node, path: path + [members[0].key], file: file)
      return (members[0].key, settings)
    case .object(let members):
      throw failure(
        members.isEmpty
          ? "an empty object"
          : "\(members.count) kinds (\(members.map(\.key).prefix(4).joined(separator: ", ")))",
        expected: "exactly one of \(Self.list(names, "or"))")
    default: throw mismatch(expected: expected)
    }
  }

  /// `a, b or c`.
  static func list(_ words: [String], _ conjunction: String) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "nothing" }
    return words.dropLast().joined(separator: ", ") + " \(conjunction) \(last)"
  }

  static func suggestion(for word: String, in words: [String]) -> String {
    Spelling.nearest(to: word, among: words).map { " (did you mean \($0)?)" } ?? ""
  }
}

/// An object of a recipe whose keys are all known.
struct RecipeObject {
  let field: RecipeField

  func optional(_ key: String) -> RecipeField? {
    field.node[key].map { RecipeField(node: $0, path: field.path + [key], file: field.file) }
  }

  func required(_ key: String) throws(SimulationError) -> RecipeField {
    guard let value = optional(key) else {
      throw RecipeField(node: field.node, path: field.path + [key], file: field.file)
        .failure("missing", expected: "this key to be given")
    }
    return value
  }
}
