// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// An array in the format of the MNIST files: two zero bytes, the kind of element, the number of
/// dimensions, each dimension in four bytes, then the elements; all big-endian.
///
/// > Y. LeCun, C. Cortes, C. Burges. "The MNIST database", section "The IDX file format".
public struct IDXArray: Sendable {
  /// What the elements are; the format's codes.
  public enum Element: UInt8, Sendable {
    case unsignedByte = 0x08
    case signedByte = 0x09
    case short = 0x0B
    case int = 0x0C
    case float = 0x0D
    case double = 0x0E

    /// Bytes of one element.
    public var size: Int {
      switch self {
      case .unsignedByte, .signedByte: 1
      case .short: 2
      case .int, .float: 4
      case .double: 8
      }
    }
  }

  /// What messages call the file.
  public let name: String
  public let element: Element
  /// Examples first.
  public let shape: Shape
  /// The elements as they are stored, big-endian; nothing was copied.
  public let elements: ByteRegion

  /// Reads a file, which may be compressed by gzip.
  ///
  /// The header tells how much may be inflated.
  /// - Throws: `missing-file`, `file-system`, `corrupt-gzip`, `too-large`, `malformed`.
  public init(contentsOf path: String) throws(DataError) {
    try self.init(parsing: FileContents(stored: path))
  }

  /// Reads an array from bytes, which may be compressed by gzip.
  ///
  /// - Throws: `corrupt-gzip`, `too-large`, `malformed`.
  public init(parsing file: FileContents) throws(DataError) {
    try self.init(inflated: Self.inflate(file))
  }

  /// Inflates no more than the header announces.
  static func inflate(_ file: FileContents) throws(DataError) -> FileContents {
    guard file.isCompressed else { return file }
    let prefix = try Gzip.prefix(of: file.region.bytes, count: 4 + 4 * 255, name: file.name)
    let header = try prefix.withUnsafeBufferPointer { bytes throws(DataError) in
      try Header(bytes, file: file.name)
    }
    return try file.inflated(limit: header.length)
  }

  init(inflated file: FileContents) throws(DataError) {
    let header = try Header(file.region.bytes, file: file.name)
    let count = file.region.count
    guard count == header.length else {
      throw DataError(
        .malformed, file: file.name,
        "has \(count) bytes, but an array of \(header.shape) \(header.element) elements has "
          + "\(header.length). It is \(count < header.length ? "cut off" : "too long"); "
          + "get it again.")
    }
    name = file.name
    element = header.element
    shape = header.shape
    elements = ByteRegion(part: header.start..<count, of: file.region)
  }

  private struct Header {
    let element: Element
    let shape: Shape
    let start: Int
    /// Of the whole file.
    let length: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, file: String) throws(DataError) {
      guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0 else {
        throw DataError(
          .malformed, file: file,
          "does not begin as an IDX file does, with two zero bytes, a type and a rank.")
      }
      guard let element = Element(rawValue: bytes[2]) else {
        throw DataError(
          .malformed, file: file,
          "names element type \(bytes[2]); expected 8, 9, 11, 12, 13 or 14 (IDX).")
      }
      let rank = Int(bytes[3])
      guard rank > 0, bytes.count >= 4 + 4 * rank else {
        throw DataError(
          .malformed, file: file,
          rank == 0
            ? "says that it has no dimensions; expected at least one."
            : "is cut off in its header: \(bytes.count) bytes cannot hold \(rank) dimensions.")
      }
      let dimensions = (0..<rank).map { axis in
        (0..<4).reduce(0) { $0 << 8 | Int(bytes[4 + 4 * axis + $1]) }
      }
      self.element = element
      shape = Shape(dimensions)
      start = 4 + 4 * rank
      let (size, isTooLong) =
        shape.checkedCount?.multipliedReportingOverflow(by: element.size)
        ?? (0, true)
      guard !isTooLong, size <= Int.max - start, dimensions[0] <= Int32.max else {
        throw DataError(
          .malformed, file: file, "says that it holds \(shape) elements, which no machine does.")
      }
      length = start + size
    }
  }
}

extension IDXArray {
  /// The elements of an array of whole numbers.
  ///
  /// - Throws: `unsupported` for numbers with fractions.
  public func integers() throws(DataError) -> [Int32] {
    let bytes = elements.bytes
    switch element {
    case .unsignedByte: return bytes.map { Int32($0) }
    case .signedByte: return bytes.map { Int32(Int8(bitPattern: $0)) }
    case .short:
      return (0..<shape.count).map {
        Int32(Int16(bitPattern: UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1])))
      }
    case .int:
      return (0..<shape.count).map { index in
        Int32(bitPattern: (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[4 * index + $1]) })
      }
    case .float, .double:
      throw DataError(
        .unsupported, file: name, "holds \(element) elements; expected whole numbers.")
    }
  }
}

extension ExampleTable {
  /// Images and their classes from two IDX files; pixels stay bytes in 0...1, in steps of 1/255.
  ///
  /// - Parameters:
  ///   - images: bytes; examples × height × width, or with channels as a fourth dimension.
  ///   - labels: whole numbers in `0..<classCount`; one an image.
  ///   - classCount: how many classes there are.
  /// - Throws: `unsupported`, `count-mismatch`, `unknown-category`.
  public convenience init(
    images: IDXArray, labels: IDXArray, classCount: Int
  ) throws(DataError) {
    guard images.element == .unsignedByte, (3...4).contains(images.shape.rank) else {
      throw DataError(
        .unsupported, file: images.name,
        "is \(images.shape) \(images.element) elements; expected examples × height × width bytes.")
    }
    let count = images.shape[0]
    guard labels.shape == [count] else {
      throw DataError(
        .countMismatch, file: labels.name,
        "has labels for \(labels.shape) examples, but \(images.name) has \(count) images.")
    }
    let classes = try labels.integers()
    if let wrong = classes.firstIndex(where: { $0 < 0 || $0 >= classCount }) {
      throw DataError(
        .unknownCategory, file: labels.name,
        "the label of example \(wrong) is \(classes[wrong]); expected 0..<\(classCount).")
    }
    let dimensions = Array(images.shape.dimensions.dropFirst())
    self.init(
      count: count, inputShape: Shape(dimensions.count == 2 ? dimensions + [1] : dimensions),
      inputs: .bytes(images.elements, scale: 1 / 255, offset: 0),
      targets: .classes(classes, classCount: classCount))
  }
}
