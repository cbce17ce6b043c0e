// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

extension Safetensors {
  /// Writes parameters as Float32 arrays; the file appears whole or not at all.
  ///
  /// The same arguments give the same bytes.
  ///
  /// - Parameters:
  ///   - parameters: the numbers.
  ///   - layout: their names and shapes.
  ///   - metadata: free remarks; PyTorch's readers look for `format: "pt"`.
  ///   - path: of the file.
  /// - Precondition: the layout has as many numbers as there are parameters, and no array that is named
  ///   `__metadata__`.
  /// - Throws: ``NumericsError`` (`file-system`).
  public static func write(
    _ parameters: ParameterVector, layout: ParameterLayout, metadata: [String: String] = [:],
    to path: String
  ) throws(NumericsError) {
    precondition(parameters.count == layout.count, "The layout is not one of these parameters.")
    let beginning = beginning(layout, metadata: metadata)
    let result = beginning.withUnsafeBytes { beginning in
      withNumbers(parameters) { numbers in
        Result { () throws(NumericsError) in
          try DurableFile.write(pieces: [beginning, numbers], to: path)
        }
      }
    }
    try result.get()
  }

  /// The bytes that ``write(_:layout:metadata:to:)`` writes.
  public static func encode(
    _ parameters: ParameterVector, layout: ParameterLayout, metadata: [String: String] = [:]
  ) -> [UInt8] {
    precondition(parameters.count == layout.count, "The layout is not one of these parameters.")
    return beginning(layout, metadata: metadata) + withNumbers(parameters) { Array($0) }
  }

  /// The header and its length: what stands before the numbers, which follow as little-endian Float32 in the
  /// layout's order.
  ///
  /// - Precondition: no array is named `__metadata__`.
  package static func beginning(_ layout: ParameterLayout, metadata: [String: String]) -> [UInt8] {
    precondition(layout["__metadata__"] == nil, "An array has the name of the metadata.")
    var items: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0)):\(quoted($1))" }
      items.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    for entry in layout.entries {
      let shape = entry.shape.dimensions.map(String.init).joined(separator: ",")
      items.append(
        "\(quoted(entry.name)):{\"dtype\":\"F32\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(4 * entry.range.lowerBound),\(4 * entry.range.upperBound)]}")
    }
    var header = Array("{\(items.joined(separator: ","))}".utf8)
    // So that the numbers are aligned in memory, as the reference library does.
    while header.count % 8 != 0 { header.append(0x20) }
    return withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init) + header
  }

  private static func withNumbers<Result>(
    _ parameters: ParameterVector, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    parameters.withUnsafeBufferPointer { values in
      #if _endian(little)
        body(UnsafeRawBufferPointer(values))
      #else
        values.map(\.bitPattern.littleEndian).withUnsafeBytes(body)
      #endif
    }
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case ..<" ":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
