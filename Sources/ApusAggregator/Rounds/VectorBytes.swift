// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData
internal import ApusNumerics
internal import ApusWire

extension ParameterVector {
  /// The numbers of a blob of little-endian Float32.
  ///
  /// - Allocates: a copy.
  init(_ blob: MappedBlob) { self = blob.withBytes { ParameterVector(littleEndian: $0) } }

  private init(littleEndian bytes: UnsafeRawBufferPointer) {
    self.init(count: bytes.count / 4)
    withUnsafeMutableBufferPointer { numbers in
      #if _endian(little)
        UnsafeMutableRawBufferPointer(numbers).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[..<(numbers.count * 4)]))
      #else
        for i in numbers.indices {
          let bits = bytes.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)
          numbers[i] = Float(bitPattern: UInt32(littleEndian: bits))
        }
      #endif
    }
  }

  /// The numbers as little-endian Float32.
  var littleEndianBytes: [UInt8] {
    withUnsafeBufferPointer { numbers in
      #if _endian(little)
        return [UInt8](UnsafeRawBufferPointer(numbers))
      #else
        return numbers.map(\.bitPattern.littleEndian).withUnsafeBytes { [UInt8]($0) }
      #endif
    }
  }

  /// SHA-256 of ``littleEndianBytes``, 32 bytes.
  var digestBytes: [UInt8] {
    let hex = Array(digest.utf8)
    func value(_ digit: UInt8) -> UInt8 { digit < 58 ? digit - 48 : digit - 87 }
    return stride(from: 0, to: hex.count, by: 2).map { value(hex[$0]) << 4 | value(hex[$0 + 1]) }
  }
}

/// Reads what a task is measured on.
enum ExampleTableReading {
  static func table(
    _ evaluation: Proto.Evaluation, _ schema: Proto.DataSchema?, _ bytes: UnsafeRawBufferPointer
  ) throws(AggregatorError) -> ExampleTable {
    guard let schema else {
      throw AggregatorError(.invalidValue, "The plan does not say what examples are like.")
    }
    return try ExampleTable(evaluation, schema: schema, in: bytes)
  }
}
