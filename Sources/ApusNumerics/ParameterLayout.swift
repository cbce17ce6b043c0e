// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The order of a model's numbers.
///
/// It is the only statement of it: programs, checkpoints, safetensors files and the wire all use this
/// one.
public struct ParameterLayout: Hashable, Sendable, Codable {
  /// A named array and its place in the flat vector.
  public struct Entry: Hashable, Sendable, Codable {
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
