// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension LocalData {
  /// Writes a client's examples as a folder that ``load(_:setting:)`` reads: the same numbers in the same
  /// order, bit for bit.
  ///
  /// - Parameters:
  ///   - examples: in the order of the client's indices.
  ///   - folder: made where it is missing; files in it of the same names are replaced.
  /// - Throws: `file-system`.
  /// - Allocates: a copy of the examples.
  public static func write(_ examples: ClientDataset, to folder: String) throws(DataError) {
    let table = examples.table.selecting(Array(examples.indices))
    try makeFolder(folder)
    var file = """
      // A device's examples: see LocalDataFile in ApusData, or 'apus help join'.
      {
        inputs: "inputs.idx",
        targets: "targets.idx",
        shape: \(table.inputShape.dimensions),

      """
    let extents = [table.count] + table.inputShape.dimensions
    switch table.inputs {
    case .bytes(let region, let scale, let offset):
      let header = IDXArray.header(.unsignedByte, extents)
      try write([header], and: region, to: join(folder, "inputs.idx"))
      file += "  scale: \(scale),\n  offset: \(offset),\n"
    case .numbers(let numbers):
      try write(
        [IDXArray.header(.float, extents), IDXArray.bigEndian(numbers.map(\.bitPattern))],
        to: join(folder, "inputs.idx"))
    case .tokens(let tokens):
      try write(
        [IDXArray.header(.int, extents), IDXArray.bigEndian(tokens)],
        to: join(folder, "inputs.idx"))
      file += "  kind: \"tokens\",\n"
    }
    let targets: [[UInt8]]
    switch table.targets {
    case .classes(let classes, let classCount):
      targets = [IDXArray.header(.int, [table.count]), IDXArray.bigEndian(classes)]
      file += "  classes: \(classCount),\n"
    case .sequences(let classes, let length, let classCount):
      targets = [IDXArray.header(.int, [table.count, length]), IDXArray.bigEndian(classes)]
      file += "  classes: \(classCount),\n"
    case .values(let values, let shape):
      targets = [
        IDXArray.header(.float, [table.count] + shape.dimensions),
        IDXArray.bigEndian(values.map(\.bitPattern)),
      ]
    }
    try write(targets, to: join(folder, "targets.idx"))
    // Last: a folder with it is whole.
    try write([Array((file + "}\n").utf8)], to: join(folder, LocalDataFile.name))
  }

  private static func write(
    _ pieces: [[UInt8]], and region: ByteRegion? = nil, to path: String
  ) throws(DataError) {
    do {
      let bytes = Array(pieces.joined())
      let result = bytes.withUnsafeBytes { head in
        Result { () throws(NumericsError) in
          guard let region else { return try DurableFile.write(pieces: [head], to: path) }
          try region.withBytes { (tail) throws(NumericsError) in
            try DurableFile.write(pieces: [head, UnsafeRawBufferPointer(tail)], to: path)
          }
        }
      }
      try result.get()
    } catch {
      throw DataError(.fileSystem, error.message)
    }
  }

  private static func makeFolder(_ path: String) throws(DataError) {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += made.isEmpty || made.hasSuffix("/") ? part : "/" + part
      if mkdir(made, 0o777) != 0, errno != EEXIST {
        throw DataError(
          .fileSystem, file: path,
          "the system refused to make it: \(String(cString: strerror(errno))).")
      }
    }
  }
}

extension IDXArray {
  /// What stands before the elements.
  static func header(_ element: Element, _ extents: [Int]) -> [UInt8] {
    [0, 0, element.rawValue, UInt8(extents.count)] + bigEndian(extents.map { UInt32($0) })
  }

  static func bigEndian(_ words: [some FixedWidthInteger]) -> [UInt8] {
    words.flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
  }
}
