// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData
internal import ApusNumerics
internal import ApusWire

extension ExampleTable {
  /// The examples of a blob that a task is measured on.
  ///
  /// - Parameters:
  ///   - evaluation: says where inputs and targets are.
  ///   - schema: what they must look like.
  ///   - bytes: of the blob.
  /// - Throws: `invalid-value` where they are not what the schema says.
  /// - Allocates: a copy of them.
  convenience init(
    _ evaluation: Proto.Evaluation, schema: Proto.DataSchema, in bytes: UnsafeRawBufferPointer
  ) throws(AggregatorError) {
    func bad(_ what: String) -> AggregatorError {
      AggregatorError(.invalidValue, "The evaluation's examples: \(what)")
    }
    func tensor(_ name: String) throws(AggregatorError) -> (Proto.Tensor, UnsafeRawBufferPointer) {
      guard let tensor = evaluation.tensors.first(where: { $0.name == name }) else {
        throw bad("there is no tensor \(name).")
      }
      guard let size = tensor.type.size else { throw bad("\(name) has an unknown type.") }
      var length = UInt64(size)
      for extent in tensor.shape {
        let (product, overflowed) = length.multipliedReportingOverflow(by: extent)
        guard !overflowed else { throw bad("\(name) is too large.") }
        length = product
      }
      let (end, overflowed) = tensor.offset.addingReportingOverflow(tensor.length)
      guard length == tensor.length, !overflowed, end <= UInt64(bytes.count) else {
        throw bad("\(name) is not within the blob, or its length is not that of its shape.")
      }
      return (tensor, UnsafeRawBufferPointer(rebasing: bytes[Int(tensor.offset)..<Int(end)]))
    }
    func words<Word>(_ bytes: UnsafeRawBufferPointer, as: Word.Type) -> [Word] {
      // The offset may be anything.
      (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Word.self) }
    }

    let (inputTensor, inputBytes) = try tensor("inputs")
    let (targetTensor, targetBytes) = try tensor("targets")
    let extents = schema.input?.shape?.extents ?? []
    guard let count = inputTensor.shape.first, count > 0, count <= UInt64(Int32.max),
      Array(inputTensor.shape.dropFirst()) == extents
    else { throw bad("inputs are not of the plan's shape.") }
    let inputs: Inputs
    switch inputTensor.type {
    case .uint8:
      inputs = .bytes(
        ByteRegion(count: inputBytes.count) { region in
          UnsafeMutableRawBufferPointer(region).copyMemory(from: inputBytes)
        }, scale: evaluation.scale, offset: evaluation.offset)
    case .float32: inputs = .numbers(words(inputBytes, as: Float.self))
    default: inputs = .tokens(words(inputBytes, as: Int32.self))
    }

    let targets: Targets
    var expected: [UInt64] = [count]
    switch schema.targets {
    case .classes(let classes):
      targets = .classes(words(targetBytes, as: Int32.self), classCount: Int(classes))
    case .sequences(let sequences):
      expected.append(UInt64(sequences.length))
      targets = .sequences(
        words(targetBytes, as: Int32.self), length: Int(sequences.length),
        classCount: Int(sequences.classes))
    case .values(let shape):
      expected += shape.extents
      targets = .values(
        words(targetBytes, as: Float.self), shape: Shape(shape.extents.map { Int($0) }))
    case nil: throw bad("the plan does not say what targets are.")
    }
    let isValues = if case .values = targets { true } else { false }
    guard targetTensor.shape == expected,
      targetTensor.type == (isValues ? .float32 : .int32)
    else { throw bad("targets are not of the plan's shape or type.") }
    switch targets {
    case .classes(let classes, let count), .sequences(let classes, _, let count):
      let lowest: Int32 = if case .classes = targets { 0 } else { .min }
      guard classes.allSatisfy({ $0 >= lowest && Int($0) < count }) else {
        throw bad("a class is not one of \(count).")
      }
    case .values: break
    }
    self.init(
      count: Int(count), inputShape: Shape(extents.map { Int($0) }), inputs: inputs,
      targets: targets)
  }
}

extension Proto.DataType {
  /// Bytes of a number; nil for an unknown type.
  var size: Int? {
    switch self {
    case .float32, .int32: 4
    case .bfloat16, .float16: 2
    case .uint8: 1
    default: nil
    }
  }
}
