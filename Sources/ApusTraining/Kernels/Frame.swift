// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// What a step of a program sees when it runs.
struct Frame {
  /// The memory that the plan divides.
  let arena: UnsafeMutablePointer<Float>
  /// The parameters, in the order of the layout.
  var parameters: UnsafeMutablePointer<Float>
  var frozen: UnsafeMutablePointer<Float>
  /// Where gradients go: `sinks ← beta · sinks + gradient`.
  var sinks: UnsafeMutablePointer<Float>
  var beta: Float = 0

  /// How many examples there are now, at most as many as the plan has room for.
  var rowCount = 0
  /// Which example of the batch is the first one here.
  var firstRow = 0
  /// What the gradient of the sum of losses is multiplied by: 1 / n for that of their mean, and −rate / n
  /// for a step of descent, so that no gradient is ever multiplied again.
  var lossScale: Float = 1
  /// Where dropout draws from.
  var random = RandomStream(seed: 0)

  var lossSum = 0.0
  var correctCount = 0

  func pointer(_ place: Place) -> UnsafeMutablePointer<Float> {
    switch place.base {
    case .arena: arena + place.offset
    case .parameters: parameters + place.offset
    case .frozen: frozen + place.offset
    }
  }

  /// The same words as `Int32`s.
  func indices(_ place: Place) -> UnsafeMutablePointer<Int32> {
    UnsafeMutableRawPointer(pointer(place)).assumingMemoryBound(to: Int32.self)
  }

  /// How many elements a value has now.
  func count(_ extent: Extent) -> Int { extent.count * rows(extent) }

  /// How many examples a value has now; 1 where it is the same for all.
  func rows(_ extent: Extent) -> Int { extent.isBatched ? rowCount : 1 }
}

/// Where a value is kept.
struct Place: Hashable {
  enum Base: UInt8 { case arena, parameters, frozen }

  let base: Base
  let offset: Int
}

/// How many elements a value has.
struct Extent: Hashable {
  let count: Int
  let isBatched: Bool

  init(_ signature: Signature) {
    count = signature.count
    isBatched = signature.isBatched
  }
}

/// Where a result goes: to memory of its own, or added to a parameter's gradient.
enum Destination: Hashable {
  case value(Place)
  case sink(offset: Int, isFirst: Bool)

  func resolved(
    in frame: borrowing Frame
  ) -> (pointer: UnsafeMutablePointer<Float>, beta: Float) {
    switch self {
    case .value(let place): (frame.pointer(place), 0)
    case .sink(let offset, let isFirst):
      (frame.sinks + offset, isFirst ? frame.beta : 1)
    }
  }
}

/// A step with everything about it decided.
typealias Instruction = (inout Frame) -> Void
