// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData
internal import ApusNumerics
internal import ApusWire

/// Examples as one run of bytes, as an aggregator measures models on them (Evaluation in coordinator.proto).
struct ExampleBlob {
  let bytes: [UInt8]
  /// `inputs`, then `targets`.
  let tensors: [Proto.Tensor]
  /// A byte's feature is byte × scale + offset; 0 and 0 where inputs are no bytes.
  let scale: Float
  let offset: Float

  /// Tensors begin at multiples of this, so that they are read where they lie.
  private static let alignment = 64

  /// - Allocates: a copy of the examples.
  init(_ table: ExampleTable) {
    var bytes: [UInt8] = []
    var tensors: [Proto.Tensor] = []
    func add(_ name: String, _ type: Proto.DataType, _ shape: [Int], _ data: UnsafeRawBufferPointer)
    {
      while !bytes.count.isMultiple(of: Self.alignment) { bytes.append(0) }
      tensors.append(
        Proto.Tensor {
          $0.name = name
          $0.type = type
          $0.shape = ([table.count] + shape).map(UInt64.init)
          $0.offset = UInt64(bytes.count)
          $0.length = UInt64(data.count)
        })
      bytes.append(contentsOf: data)
    }
    let shape = table.inputShape.dimensions
    var factors: (scale: Float, offset: Float) = (0, 0)
    switch table.inputs {
    case .bytes(let region, let scale, let offset):
      region.withBytes { add("inputs", .uint8, shape, UnsafeRawBufferPointer($0)) }
      factors = (scale, offset)
    case .numbers(let numbers): numbers.withUnsafeBytes { add("inputs", .float32, shape, $0) }
    case .tokens(let tokens): tokens.withUnsafeBytes { add("inputs", .int32, shape, $0) }
    }
    switch table.targets {
    case .classes(let classes, _): classes.withUnsafeBytes { add("targets", .int32, [], $0) }
    case .values(let values, let shape):
      values.withUnsafeBytes { add("targets", .float32, shape.dimensions, $0) }
    case .sequences(let classes, let length, _):
      classes.withUnsafeBytes { add("targets", .int32, [length], $0) }
    }
    self.bytes = bytes
    self.tensors = tensors
    (scale, offset) = factors
  }
}
