// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// The keys of an `apus-data.json5`, read with errors that name file, line, key and what was expected.
struct LocalDataFields {
  let members: [JSON5Node.Member]
  let file: String

  private subscript(key: String) -> JSON5Node.Member? { members.first { $0.key == key } }

  func failure(_ what: String, at origin: JSON5Node.Origin? = nil) -> DataError {
    switch origin {
    case .line(let line)?: DataError(.malformed, file: file, line: line, what)
    case .override(let option)?: DataError(.malformed, "\(option): \(what)")
    case nil: DataError(.malformed, file: file, what)
    }
  }

  /// An error for a key's value.
  func wrong(_ key: String, _ expected: String) -> DataError {
    let member = self[key]
    let value = member.map { "\($0.node)" } ?? "missing"
    return failure("\(key) is \(value); expected \(expected).", at: member?.origin)
  }

  func requireKeys(among known: [String]) throws(DataError) {
    for member in members where !known.contains(member.key) {
      throw failure(
        "there is no key \(member.key.prefix(40)); expected one of "
          + "\(known.joined(separator: ", ")).", at: member.origin)
    }
  }

  func text(_ key: String) throws(DataError) -> String? {
    guard let member = self[key] else { return nil }
    guard case .string(let text) = member.node.value, !text.isEmpty else {
      throw wrong(key, "a text")
    }
    return text
  }

  /// The name of a column, or its number.
  func column(_ key: String) throws(DataError) -> String? {
    guard let member = self[key] else { return nil }
    guard let name = Self.columnName(member.node) else {
      throw wrong(key, "the name of a column, or its number where there is no header")
    }
    return name
  }

  func columns(_ key: String) throws(DataError) -> [String] {
    guard let member = self[key] else { return [] }
    guard case .array(let nodes) = member.node.value else {
      throw wrong(key, "a list of columns")
    }
    var names: [String] = []
    for node in nodes {
      guard let name = Self.columnName(node) else { throw wrong(key, "a list of columns") }
      names.append(name)
    }
    return names
  }

  private static func columnName(_ node: JSON5Node) -> String? {
    switch node.value {
    case .string(let name) where !name.isEmpty: name
    case .number(let number): Int(number).flatMap { $0 > 0 ? "\($0)" : nil }
    default: nil
    }
  }

  func boolean(_ key: String) throws(DataError) -> Bool? {
    guard let member = self[key] else { return nil }
    guard case .boolean(let value) = member.node.value else { throw wrong(key, "true or false") }
    return value
  }

  func number(_ key: String) throws(DataError) -> Float? {
    guard let member = self[key] else { return nil }
    guard case .number(let text) = member.node.value, let number = Float(text), number.isFinite
    else { throw wrong(key, "a number") }
    return number
  }

  private static func count(_ node: JSON5Node, in range: ClosedRange<Int>) -> Int? {
    guard case .number(let text) = node.value, let count = Int(text), range.contains(count) else {
      return nil
    }
    return count
  }

  func classes(_ key: String) throws(DataError) -> LocalDataFile.Classes? {
    guard let member = self[key] else { return nil }
    let expected = "how many classes there are, or a list of their different names"
    guard case .array(let nodes) = member.node.value else {
      guard let count = Self.count(member.node, in: 1...Int(Int32.max)) else {
        throw wrong(key, expected)
      }
      return .count(count)
    }
    var names: [String] = []
    for node in nodes {
      guard case .string(let name) = node.value else { throw wrong(key, expected) }
      names.append(name)
    }
    guard !names.isEmpty, Set(names).count == names.count else { throw wrong(key, expected) }
    return .names(names)
  }

  func shape(_ key: String) throws(DataError) -> Shape? {
    guard let member = self[key] else { return nil }
    let expected = "a list of extents, for example [28, 28, 1]"
    guard case .array(let nodes) = member.node.value, nodes.count <= 8 else {
      throw wrong(key, expected)
    }
    var extents: [Int] = []
    for node in nodes {
      guard let extent = Self.count(node, in: 1...Int(Int32.max)) else {
        throw wrong(key, expected)
      }
      extents.append(extent)
    }
    let shape = Shape(extents)
    guard let count = shape.checkedCount, count <= Int32.max else { throw wrong(key, expected) }
    return shape
  }
}
