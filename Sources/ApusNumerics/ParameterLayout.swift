// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The order of a model's numbers.
///
/// It is the only statement of it: programs, checkpoints, safetensors files and the wire all use this
/// one.
public struct ParameterLayout: Hashable, Sendable {
  /// A named array and its place in the flat vector.
  public struct Entry: Hashable, Sendable {
    /// The path of property names that leads to it, for example `conv1.weight`.
    public let name: String
    public let shape: Shape
    public let offset: Int
    public var range: Range<Int> { offset..<offset + shape.count }
  }

  public private(set) var entries: [Entry] = []

  public init() {}

  /// The length of the flat vector.
  public var count: Int { entries.last?.range.upperBound ?? 0 }

  /// Puts an array behind the ones that are there.
  ///
  /// - Precondition: no array of that name is there.
  public mutating func append(_ name: String, _ shape: Shape) {
    precondition(self[name] == nil, "Two arrays are named \(name).")
    entries.append(Entry(name: name, shape: shape, offset: count))
  }

  public subscript(name: String) -> Entry? { entries.first { $0.name == name } }
}

extension ParameterLayout: CustomStringConvertible {
  public var description: String {
    entries.map { "\($0.name)  \($0.shape)  \($0.range)" }.joined(separator: "\n")
  }
}

/// Written as a list of names and shapes; the places follow from them.
extension ParameterLayout: Codable {
  private enum Keys: String, CodingKey { case name, shape }

  /// - Throws: `DecodingError` if two arrays have one name, or there are more numbers than an `Int` counts.
  public init(from decoder: any Decoder) throws {
    var list = try decoder.unkeyedContainer()
    var names: Set<String> = []
    while !list.isAtEnd {
      let entry = try list.nestedContainer(keyedBy: Keys.self)
      let name = try entry.decode(String.self, forKey: .name)
      let shape = try entry.decode(Shape.self, forKey: .shape)
      guard names.insert(name).inserted else {
        throw DecodingError.dataCorruptedError(
          forKey: .name, in: entry, debugDescription: "Two arrays are named \(name).")
      }
      guard !count.addingReportingOverflow(shape.count).overflow else {
        throw DecodingError.dataCorruptedError(
          forKey: .shape, in: entry, debugDescription: "The arrays are too large together.")
      }
      entries.append(Entry(name: name, shape: shape, offset: count))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var list = encoder.unkeyedContainer()
    for entry in entries {
      var container = list.nestedContainer(keyedBy: Keys.self)
      try container.encode(entry.name, forKey: .name)
      try container.encode(entry.shape, forKey: .shape)
    }
  }
}
