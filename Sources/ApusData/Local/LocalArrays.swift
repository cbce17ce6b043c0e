// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// A device's examples in two IDX files.
struct LocalArrays {
  private let file: LocalDataFile
  private let inputs: IDXArray
  private let targets: IDXArray

  init(_ file: LocalDataFile, in folder: String) throws(DataError) {
    self.file = file
    inputs = try IDXArray(contentsOf: LocalData.join(folder, file.inputs))
    targets = try IDXArray(contentsOf: LocalData.join(folder, file.targets ?? ""))
  }

  func examples() throws(DataError) -> ExampleTable {
    let count = inputs.shape[0]
    guard targets.shape[0] == count else {
      throw DataError(
        .countMismatch, file: targets.name,
        "has \(targets.shape[0]) targets; expected \(count), one for each example of "
          + "\(inputs.name).")
    }
    return ExampleTable(
      count: count, inputShape: try inputShape(), inputs: try numbers(),
      targets: try answers(count))
  }

  private func inputShape() throws(DataError) -> Shape {
    let own = Array(inputs.shape.dimensions.dropFirst())
    guard let shape = file.shape else {
      // Images of height × width have one channel.
      return Shape(own.count == 2 && inputs.element == .unsignedByte ? own + [1] : own)
    }
    guard shape.count == Shape(own).count else {
      throw DataError(
        .malformed, file: inputs.name,
        "has examples of \(Shape(own)); \(LocalDataFile.name) says \(shape).")
    }
    return shape
  }

  private func numbers() throws(DataError) -> ExampleTable.Inputs {
    if file.isTokens { return .tokens(try inputs.integers()) }
    if inputs.element == .unsignedByte {
      return .bytes(inputs.elements, scale: file.scale ?? 1 / 255, offset: file.offset ?? 0)
    }
    var numbers = inputs.numbers()
    if let wrong = numbers.firstIndex(where: { !$0.isFinite }) {
      throw DataError(
        .malformed, file: inputs.name,
        "example \(wrong / max(inputs.shape.count / max(inputs.shape[0], 1), 1)) has a number that "
          + "is not finite.")
    }
    if file.scale != nil || file.offset != nil {
      let (scale, offset) = (file.scale ?? 1, file.offset ?? 0)
      for index in numbers.indices { numbers[index] = numbers[index] * scale + offset }
    }
    return .numbers(numbers)
  }

  private func answers(_ count: Int) throws(DataError) -> ExampleTable.Targets {
    let shape = Shape(Array(targets.shape.dimensions.dropFirst()))
    if targets.element == .float || targets.element == .double {
      if file.classes != nil {
        throw DataError(
          .malformed, file: targets.name,
          "holds numbers with fractions; expected classes, as \(LocalDataFile.name) says.")
      }
      let values = targets.numbers()
      guard values.allSatisfy(\.isFinite) else {
        throw DataError(.malformed, file: targets.name, "has a number that is not finite.")
      }
      return .values(values, shape: shape)
    }
    guard shape.rank <= 1 else {
      throw DataError(
        .unsupported, file: targets.name,
        "has whole numbers of \(targets.shape); expected one class an example, or a row of them.")
    }
    let classes = try targets.integers()
    let isRow = shape.rank == 1
    let known = file.classes?.count
    let classCount = if let known { known } else { try Self.count(classes, file: targets.name) }
    let stride = max(shape.count, 1)
    // A negative class in a row is a place that does not count.
    if let wrong = classes.firstIndex(where: { $0 >= classCount || $0 < 0 && !isRow }) {
      throw DataError(
        .unknownCategory, file: targets.name,
        "the class of example \(wrong / stride) is \(classes[wrong]); expected 0..<\(classCount).")
    }
    return isRow
      ? .sequences(classes, length: shape[0], classCount: classCount)
      : .classes(classes, classCount: classCount)
  }

  /// One more than the largest class.
  private static func count(_ classes: [Int32], file: String) throws(DataError) -> Int {
    let largest = Int(classes.max() ?? 0)
    guard largest < 1 << 24 else {
      throw DataError(
        .malformed, file: file,
        "has a class \(largest); expected small numbers. Say how many classes there are (classes).")
    }
    return max(largest, 0) + 1
  }
}

extension IDXArray {
  /// The elements as numbers, whatever they are; whole numbers beyond 2²⁴ are rounded.
  func numbers() -> [Float] {
    let bytes = elements.bytes
    func word(_ index: Int, _ size: Int) -> UInt64 {
      (0..<size).reduce(0) { $0 << 8 | UInt64(bytes[size * index + $1]) }
    }
    return (0..<shape.count).map { index in
      switch element {
      case .unsignedByte: Float(bytes[index])
      case .signedByte: Float(Int8(bitPattern: bytes[index]))
      case .short: Float(Int16(truncatingIfNeeded: word(index, 2)))
      case .int: Float(Int32(truncatingIfNeeded: word(index, 4)))
      case .float: Float(bitPattern: UInt32(truncatingIfNeeded: word(index, 4)))
      case .double: Float(Double(bitPattern: word(index, 8)))
      }
    }
  }
}
