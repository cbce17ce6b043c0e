// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// An object being decoded whose every key must be a known one.
///
/// Synthesized decoding passes over keys that it does not know, so a mistyped one would silently leave
/// its default in place.
package struct StrictObject {
  package struct Key: CodingKey {
    package let stringValue: String
    package var intValue: Int? { nil }

    package init(_ name: String) { stringValue = name }
    package init(stringValue: String) { self.init(stringValue) }
    package init?(intValue: Int) { nil }
  }

  /// Nil where nothing was written, so that everything has its default.
  private let container: KeyedDecodingContainer<Key>?
  private let codingPath: [any CodingKey]

  /// - Throws: `DecodingError` if this has a key that is not in `known`.
  package init(_ container: KeyedDecodingContainer<Key>, known: [String]) throws {
    self.container = container
    codingPath = container.codingPath
    for key in container.allKeys where !known.contains(key.stringValue) {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: codingPath + [key],
          debugDescription: "There is no key \"\(key.stringValue)\" here; "
            + "the keys are \(known.joined(separator: ", "))."))
    }
  }

  /// - Throws: `DecodingError` if this is no object or has a key that is not in `known`.
  package init(from decoder: any Decoder, known: [String]) throws {
    try self.init(decoder.container(keyedBy: Key.self), known: known)
  }

  fileprivate init(emptyAt codingPath: [any CodingKey]) {
    container = nil
    self.codingPath = codingPath
  }

  package func contains(_ key: String) -> Bool { container?.contains(Key(key)) ?? false }

  /// The value of a key that must be there.
  package func value<Value: Decodable>(
    _ key: String, as type: Value.Type = Value.self
  ) throws -> Value {
    let path = codingPath + [Key(key)]
    guard let container, container.contains(Key(key)) else {
      throw DecodingError.keyNotFound(
        Key(key), .init(codingPath: path, debugDescription: "The key \"\(key)\" is missing."))
    }
    do {
      return try container.decode(type, forKey: Key(key))
    } catch let error as DecodingError {
      throw error
    } catch {
      // What Foundation's decoder throws for a number that does not fit its type says nothing else.
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: path, debugDescription: "The value of \"\(key)\" does not fit \(type).",
          underlyingError: error))
    }
  }

  /// The value of a key that may be left out, but not null.
  package func value<Value: Decodable>(_ key: String, default value: Value) throws -> Value {
    contains(key) ? try self.value(key) : value
  }
}

/// A choice as recipes write it: `"name"`, or `{ name: { … } }`.
package struct WrittenChoice {
  package let name: String
  private let container: KeyedDecodingContainer<StrictObject.Key>?
  private let codingPath: [any CodingKey]

  /// - Throws: `DecodingError` if it is neither, or the name is not in `known`.
  package init(from decoder: any Decoder, known: [String]) throws {
    codingPath = decoder.codingPath
    if let name = try? decoder.singleValueContainer().decode(String.self) {
      self.name = name
      container = nil
    } else {
      let object = try decoder.container(keyedBy: StrictObject.Key.self)
      guard let key = object.allKeys.first, object.allKeys.count == 1 else {
        throw DecodingError.dataCorrupted(
          .init(
            codingPath: decoder.codingPath,
            debugDescription: "Expected one of \(known.joined(separator: ", ")), "
              + "found \(object.allKeys.count) keys."))
      }
      name = key.stringValue
      container = object
    }
    guard known.contains(name) else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "There is no \"\(name)\" to choose here; "
            + "there are \(known.joined(separator: ", "))."))
    }
  }

  /// The object behind the name; an empty one where only the name was written.
  package func parameters(known: [String] = []) throws -> StrictObject {
    guard let container else { return StrictObject(emptyAt: codingPath) }
    return try StrictObject(
      container.nestedContainer(keyedBy: StrictObject.Key.self, forKey: .init(name)), known: known)
  }
}

extension KeyedEncodingContainer<StrictObject.Key> {
  package mutating func encode(_ value: some Encodable, as key: String) throws {
    try encode(value, forKey: .init(key))
  }
}

extension Encoder {
  /// Writes `{ name: { … } }`.
  package func encodeChoice(
    _ name: String,
    _ parameters: (inout KeyedEncodingContainer<StrictObject.Key>) throws -> Void
  ) throws {
    var outer = container(keyedBy: StrictObject.Key.self)
    var inner = outer.nestedContainer(keyedBy: StrictObject.Key.self, forKey: .init(name))
    try parameters(&inner)
  }

  /// Writes `"name"`.
  package func encodeChoice(_ name: String) throws {
    var container = singleValueContainer()
    try container.encode(name)
  }
}

extension Decoder {
  /// The value of `body`, whose range errors become decoding errors at this place in the input.
  func validating<Value>(_ body: () throws(NumericsError) -> Value) throws -> Value {
    do {
      return try body()
    } catch {
      throw DecodingError.dataCorrupted(
        .init(codingPath: codingPath, debugDescription: error.message, underlyingError: error))
    }
  }
}

extension NumericsError {
  /// Throws unless `holds`; the message names the key, the range and the value.
  static func check(
    _ holds: Bool, _ key: String, is range: String, not value: some Any
  ) throws(NumericsError) {
    if !holds { throw NumericsError(.invalidValue, "\(key) must be \(range), not \(value).") }
  }
}
