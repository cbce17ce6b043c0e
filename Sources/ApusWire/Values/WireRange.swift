// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusTraining

/// The ranges that numbers of messages must be in before anybody computes with them.
///
/// Sums and products of two such numbers fit an `Int`.
enum WireRange {
  static let largest = 1 << 31

  /// A number of things of which there is at least one.
  static func count(_ value: some BinaryInteger, _ what: String) throws(WireError) -> Int {
    guard value >= 1, value <= largest else {
      throw WireError(.invalidValue, "\(value) \(what) are not in 1...\(largest)")
    }
    return Int(value)
  }

  /// A place, a distance or an extent, which may be 0.
  static func extent(_ value: some BinaryInteger) throws(WireError) -> Int {
    guard value >= 0, value <= largest else {
      throw WireError(.invalidValue, "\(value) is not in 0...\(largest)")
    }
    return Int(value)
  }

  static func extents(_ values: [some BinaryInteger]) throws(WireError) -> [Int] {
    var extents: [Int] = []
    for value in values { extents.append(try extent(value)) }
    return extents
  }
}

extension WireError {
  static func missing(_ part: String, of whole: String) -> WireError {
    WireError(.malformed, "\(whole) is without \(part), or has one that is not known here")
  }
}

extension Shape {
  private static let highestRank = 16

  /// - Throws: `invalid-value` for extents beyond ``WireRange`` or too many of them.
  init(_ proto: Proto.Shape) throws(WireError) {
    guard proto.extents.count <= Self.highestRank else {
      throw WireError(.invalidValue, "a shape has \(proto.extents.count) axes")
    }
    self.init(try WireRange.extents(proto.extents))
  }
}

extension Proto.Shape {
  init(_ shape: Shape) {
    self.init()
    extents = shape.dimensions.map { UInt64(clamping: $0) }
  }
}

extension InputSignature {
  init(_ proto: Proto.InputSignature) throws(WireError) {
    guard let shape = proto.shape else { throw .missing("the shape", of: "an input") }
    switch proto.kind {
    case .numbers: self.init(try Shape(shape), kind: .numbers)
    case .tokens: self.init(try Shape(shape), kind: .tokens)
    default: throw WireError(.unsupported, "an input is of a kind that is not known here")
    }
  }
}

extension Proto.InputSignature {
  init(_ signature: InputSignature) {
    self.init()
    shape = Proto.Shape(signature.shape)
    kind = signature.kind == .tokens ? .tokens : .numbers
  }
}
