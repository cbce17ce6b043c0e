// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus
public import ApusNumerics

/// Many examples, loaded once and read by index by all who train on them; never written to again.
///
/// Pixels stay bytes: 60,000 images of 28 × 28 are 47 MB, and become numbers only in the batch.
public final class ExampleTable: Sendable {
  /// What a model is given.
  public enum Inputs: Sendable {
    /// Each feature is `byte × scale + offset`.
    case bytes(ByteRegion, scale: Float, offset: Float)
    /// Features as numbers, one example after the other.
    case numbers([Float])
    /// Indices into a vocabulary, one example after the other.
    case tokens([Int32])
  }

  /// What a model is to answer.
  public enum Targets: Sendable {
    /// One class an example, in `0..<classCount`.
    case classes([Int32], classCount: Int)
    /// Numbers of the given shape, one example after the other.
    case values([Float], shape: Shape)
    /// One class for each of `length` places of an example; a negative one is not counted in the
    /// loss.
    case sequences([Int32], length: Int, classCount: Int)
  }

  /// How many examples there are, at most `Int32.max`.
  public let count: Int
  /// The shape of one example's input, for example `[28, 28, 1]`.
  public let inputShape: Shape
  public let inputs: Inputs
  public let targets: Targets

  /// - Precondition: inputs and targets have `count` examples of the shapes said.
  public init(count: Int, inputShape: Shape, inputs: Inputs, targets: Targets) {
    let inputCount =
      switch inputs {
      case .bytes(let region, _, _): region.count
      case .numbers(let numbers): numbers.count
      case .tokens(let tokens): tokens.count
      }
    let (targetCount, targetStride) =
      switch targets {
      case .classes(let classes, _): (classes.count, 1)
      case .values(let values, let shape): (values.count, shape.count)
      case .sequences(let classes, let length, _): (classes.count, length)
      }
    precondition(
      inputCount == count * inputShape.count,
      "\(count) examples of \(inputShape) are not \(inputCount) numbers.")
    precondition(
      targetCount == count * targetStride,
      "\(count) targets of \(targetStride) are not \(targetCount) numbers.")
    precondition(count <= Int32.max, "A table has at most \(Int32.max) examples, not \(count).")
    self.count = count
    self.inputShape = inputShape
    self.inputs = inputs
    self.targets = targets
  }

  /// How many classes there are; nil where the targets are numbers.
  public var classCount: Int? {
    switch targets {
    case .classes(_, let classCount), .sequences(_, _, let classCount): classCount
    case .values: nil
    }
  }

  /// The class of each example; nil where there is not one class an example.
  public var labels: [Int32]? {
    if case .classes(let labels, _) = targets { labels } else { nil }
  }

  /// 4-byte words of one example's target: an `Int32` each for classes, a `Float` each for values.
  public var targetStride: Int {
    switch targets {
    case .classes: 1
    case .values(_, let shape): shape.count
    case .sequences(_, let length, _): length
    }
  }
}

extension ExampleTable {
  /// Some of the examples, in the order asked for, as a table of their own.
  ///
  /// - Precondition: every row is in `0..<count`.
  /// - Allocates: what the copy needs.
  package func selecting(_ rows: [Int32]) -> ExampleTable {
    let stride = inputShape.count
    let inputs: Inputs =
      switch inputs {
      case .bytes(let region, let scale, let offset):
        .bytes(
          ByteRegion(count: rows.count * stride) { bytes in
            for (place, row) in rows.enumerated() {
              let start = Int(row) * stride
              _ = UnsafeMutableBufferPointer(rebasing: bytes[(place * stride)...])
                .update(fromContentsOf: region.bytes[start..<start + stride])
            }
          }, scale: scale, offset: offset)
      case .numbers(let numbers): .numbers(Self.select(rows, of: numbers, stride: stride))
      case .tokens(let tokens): .tokens(Self.select(rows, of: tokens, stride: stride))
      }
    let targets: Targets =
      switch targets {
      case .classes(let classes, let classCount):
        .classes(Self.select(rows, of: classes, stride: 1), classCount: classCount)
      case .values(let values, let shape):
        .values(Self.select(rows, of: values, stride: shape.count), shape: shape)
      case .sequences(let classes, let length, let classCount):
        .sequences(
          Self.select(rows, of: classes, stride: length), length: length, classCount: classCount)
      }
    return ExampleTable(
      count: rows.count, inputShape: inputShape, inputs: inputs, targets: targets)
  }

  private static func select<Element>(
    _ rows: [Int32], of elements: [Element], stride: Int
  ) -> [Element] {
    rows.flatMap { elements[Int($0) * stride..<(Int($0) + 1) * stride] }
  }

  /// Copies the inputs and targets of some examples, one after the other.
  ///
  /// - Parameters:
  ///   - indices: examples × 1, each in `0..<count`.
  ///   - inputWords: examples × ``inputShape`` words, `Float`s or (tokens) `Int32`s.
  ///   - targetWords: examples × ``targetStride`` words.
  /// - Complexity: O(bytes copied). Allocates nothing.
  package func gather(
    _ indices: ArraySlice<Int32>, inputs inputWords: UnsafeMutableRawPointer,
    targets targetWords: UnsafeMutableRawPointer
  ) {
    indices.withUnsafeBufferPointer { indices in
      gatherInputs(indices, into: inputWords)
      switch targets {
      case .classes(let classes, _):
        classes.withUnsafeBytes { Self.copyRows(indices, words: 1, from: $0, to: targetWords) }
      case .values(let values, let shape):
        values.withUnsafeBytes {
          Self.copyRows(indices, words: shape.count, from: $0, to: targetWords)
        }
      case .sequences(let classes, let length, _):
        classes.withUnsafeBytes { Self.copyRows(indices, words: length, from: $0, to: targetWords) }
      }
    }
  }

  private func gatherInputs(
    _ indices: UnsafeBufferPointer<Int32>, into words: UnsafeMutableRawPointer
  ) {
    let stride = inputShape.count
    switch inputs {
    case .bytes(let region, let scale, let offset):
      let numbers = words.assumingMemoryBound(to: Float.self)
      region.withBytes { bytes in
        guard let first = bytes.baseAddress else { return }
        for (row, index) in indices.enumerated() {
          precondition(index >= 0 && Int(index) < count, "There is no example \(index).")
          apus_numbers_from_bytes(
            stride, first + Int(index) * stride, scale, offset, numbers + row * stride)
        }
      }
    case .numbers(let numbers):
      numbers.withUnsafeBytes { Self.copyRows(indices, words: stride, from: $0, to: words) }
    case .tokens(let tokens):
      tokens.withUnsafeBytes { Self.copyRows(indices, words: stride, from: $0, to: words) }
    }
  }

  private static func copyRows(
    _ indices: UnsafeBufferPointer<Int32>, words: Int, from table: UnsafeRawBufferPointer,
    to destination: UnsafeMutableRawPointer
  ) {
    guard let first = table.baseAddress else { return }
    let stride = words * 4
    for (row, index) in indices.enumerated() {
      precondition(
        index >= 0 && (Int(index) + 1) * stride <= table.count, "There is no example \(index).")
      (destination + row * stride).copyMemory(
        from: first + Int(index) * stride, byteCount: stride)
    }
  }
}
