// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The extents of an array, outermost first: `[28, 28, 1]` is height × width × channels.
///
/// Products of extents are checked when shapes come from outside: see ``checkedCount``.
public struct Shape: Hashable, Sendable {
  public var dimensions: [Int]

  public init(_ dimensions: [Int]) { self.dimensions = dimensions }

  /// How many axes there are; 0 for a scalar.
  public var rank: Int { dimensions.count }

  /// How many elements an array of this shape has; 1 for a scalar.
  public var count: Int { dimensions.reduce(1, *) }

  /// ``count``, or nil where an extent is negative or the product does not fit an `Int`.
  public var checkedCount: Int? {
    var product = 1
    for dimension in dimensions {
      guard dimension >= 0 else { return nil }
      let (next, overflowed) = product.multipliedReportingOverflow(by: dimension)
      if overflowed { return nil }
      product = next
    }
    return product
  }

  /// The extent of an axis; negative axes count from the last.
  public subscript(axis: Int) -> Int { dimensions[axis < 0 ? dimensions.count + axis : axis] }
}

extension Shape: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: Int...) { dimensions = elements }
}

extension Shape: CustomStringConvertible {
  public var description: String {
    dimensions.isEmpty ? "scalar" : dimensions.map(String.init).joined(separator: "×")
  }
}

extension Shape: Codable {
  /// - Throws: `DecodingError` for negative extents or more elements than an `Int` counts.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    dimensions = try container.decode([Int].self)
    guard checkedCount != nil else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "No array can have the extents \(dimensions).")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(dimensions)
  }
}
