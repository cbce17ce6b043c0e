// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A file of named arrays, in the format that PyTorch's world exchanges models in.
///
/// > Hugging Face. "Safetensors." <https://github.com/huggingface/safetensors>.
///
/// Opening reads the header only, and checks it against the length of the file before anything is
/// allocated; numbers are read when they are asked for.
public struct Safetensors: Sendable {
  /// An array and where its numbers are.
  public struct Tensor: Hashable, Sendable {
    public let name: String
    public let element: Element
    public let shape: Shape
    /// In bytes, from the beginning of the numbers.
    public let range: Range<Int>
  }

  /// What an array consists of, by the format's names.
  public enum Element: String, Hashable, Sendable, CaseIterable {
    case boolean = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case uint16 = "U16"
    case int16 = "I16"
    case uint32 = "U32"
    case int32 = "I32"
    case uint64 = "U64"
    case int64 = "I64"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case float32 = "F32"
    case float64 = "F64"

    public var byteCount: Int {
      switch self {
      case .boolean, .uint8, .int8: 1
      case .uint16, .int16, .float16, .bfloat16: 2
      case .uint32, .int32, .float32: 4
      case .uint64, .int64, .float64: 8
      }
    }
  }

  private let source: SafetensorsSource
  private let dataOffset: Int
  private let header: SafetensorsHeader

  /// Free remarks of who wrote the file.
  public var metadata: [String: String] { header.metadata }
  /// In the order of their bytes in the file.
  public var tensors: [Tensor] { header.tensors }

  /// Opens a file.
  ///
  /// - Throws: ``NumericsError``: `file-system` where the system cannot read it, `malformed` with what is
  ///   wrong with it, `unsupported` for a kind of number that is not known.
  public init(contentsOf path: String) throws(NumericsError) {
    try self.init(SafetensorsSource(path: path))
  }

  /// Takes the bytes of a file.
  ///
  /// - Throws: as ``init(contentsOf:)``.
  public init(bytes: [UInt8]) throws(NumericsError) {
    try self.init(SafetensorsSource(bytes: bytes))
  }

  private init(_ source: SafetensorsSource) throws(NumericsError) {
    guard source.count >= 8 else {
      throw source.malformed("\(source.count) bytes are too few for a safetensors file")
    }
    var length: UInt64 = 0
    try source.read(at: 0, count: 8) { bytes in
      length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    }
    guard length <= UInt64(SafetensorsHeader.longest) else {
      throw source.malformed("a header of \(length) bytes is too long for a safetensors file")
    }
    guard length <= UInt64(source.count - 8) else {
      throw source.malformed(
        "the header should have \(length) bytes, but the file ends after \(source.count)")
    }
    let dataOffset = 8 + Int(length)
    var header: Result<SafetensorsHeader, NumericsError>?
    try source.read(at: 8, count: Int(length)) { bytes in
      header = Result { () throws(NumericsError) in
        try SafetensorsHeader(bytes, dataCount: source.count - dataOffset)
      }
    }
    guard let header else { throw source.malformed("the header cannot be read") }
    do {
      self.header = try header.get()
    } catch {
      throw source.naming(error)
    }
    self.source = source
    self.dataOffset = dataOffset
  }

  public subscript(name: String) -> Tensor? { tensors.first { $0.name == name } }

  /// The numbers of an array, row-major; 16-bit ones are widened.
  ///
  /// - Throws: ``NumericsError``: `layout-mismatch` if there is no such array, `unsupported` if its numbers
  ///   are not F32, F16 or BF16, `file-system` if the file can no longer be read.
  public func values(of name: String) throws(NumericsError) -> ParameterVector {
    guard let tensor = self[name] else { throw source.missing(name, in: tensors) }
    var result = ParameterVector(count: tensor.shape.count)
    try read(tensor, into: &result, at: 0)
    return result
  }

  /// The parameters of a model, every array of whose layout must be here in its shape, and no other.
  ///
  /// - Throws: ``NumericsError``: `layout-mismatch` if an array is missing, too many or of another shape;
  ///   as ``values(of:)`` for the rest.
  public func parameters(in layout: ParameterLayout) throws(NumericsError) -> ParameterVector {
    let byName = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
    for entry in layout.entries {
      guard let tensor = byName[entry.name] else { throw source.missing(entry.name, in: tensors) }
      guard tensor.shape == entry.shape else {
        throw source.mismatch(
          "\"\(entry.name)\" has the shape \(tensor.shape), and the model needs \(entry.shape)")
      }
    }
    if tensors.count > layout.entries.count {
      let expected = Set(layout.entries.map(\.name))
      let others = tensors.map(\.name).filter { !expected.contains($0) }
      throw source.mismatch("the model has no \"\(others.first ?? "")\"")
    }
    var result = ParameterVector(count: layout.count)
    for entry in layout.entries {
      guard let tensor = byName[entry.name] else { continue }
      try read(tensor, into: &result, at: entry.offset)
    }
    return result
  }

  private func read(
    _ tensor: Tensor, into result: inout ParameterVector, at offset: Int
  ) throws(NumericsError) {
    guard [.float32, .float16, .bfloat16].contains(tensor.element) else {
      throw NumericsError(
        .unsupported,
        "\(source.name): \"\(tensor.name)\" holds numbers of type \(tensor.element.rawValue), "
          + "and parameters are F32, F16 or BF16.")
    }
    let size = tensor.element.byteCount
    let count = tensor.range.count / size
    let piece = 1 << 16
    for start in stride(from: 0, to: count, by: piece) {
      let length = min(piece, count - start)
      let position = dataOffset + tensor.range.lowerBound + start * size
      try source.read(at: position, count: length * size) { bytes in
        result.withUnsafeMutableBufferPointer { values in
          let first = offset + start
          Self.decode(bytes, tensor.element, into: .init(rebasing: values[first..<first + length]))
        }
      }
    }
  }

  private static func decode(
    _ bytes: UnsafeRawBufferPointer, _ element: Element,
    into values: UnsafeMutableBufferPointer<Float>
  ) {
    func bits<Bits: FixedWidthInteger>(_ index: Int, _: Bits.Type) -> Bits {
      Bits(
        littleEndian: bytes.loadUnaligned(
          fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self))
    }
    switch element {
    case .float16:
      for i in values.indices { values[i] = Float(Float16(bitPattern: bits(i, UInt16.self))) }
    case .bfloat16:
      for i in values.indices { values[i] = Float(bitPattern: UInt32(bits(i, UInt16.self)) << 16) }
    default:
      for i in values.indices { values[i] = Float(bitPattern: bits(i, UInt32.self)) }
    }
  }
}
