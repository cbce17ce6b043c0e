// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusData
internal import ApusNumerics
internal import Foundation

/// A gzip file of these bytes, stored without compression.
package func gzipped(_ bytes: [UInt8]) -> [UInt8] {
  var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
  var rest = bytes[...]
  repeat {
    let block = rest.prefix(65535)
    rest = rest.dropFirst(65535)
    let count = UInt16(block.count)
    file += [rest.isEmpty ? 1 : 0, UInt8(count & 255), UInt8(count >> 8)]
    file += [UInt8(~count & 255), UInt8(~count >> 8)] + block
  } while !rest.isEmpty
  return file + littleEndian(checksum(bytes)) + littleEndian(UInt32(bytes.count))
}

package func littleEndian(_ value: UInt32) -> [UInt8] {
  (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}

package func bigEndian(_ value: Int) -> [UInt8] { littleEndian(UInt32(value)).reversed() }

/// CRC-32, bit by bit.
private func checksum(_ bytes: [UInt8]) -> UInt32 {
  var sum = UInt32.max
  for byte in bytes {
    sum ^= UInt32(byte)
    for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
  }
  return ~sum
}

/// An IDX file of these elements.
package func idx(_ element: UInt8, _ dimensions: [Int], _ elements: [UInt8]) -> [UInt8] {
  [0, 0, element, UInt8(dimensions.count)] + dimensions.flatMap(bigEndian) + elements
}

/// A file in memory.
package func file(_ bytes: [UInt8], _ name: String = "test-file") -> FileContents {
  FileContents(bytes, name: name)
}

package func file(_ text: String, _ name: String = "test-file") -> FileContents {
  FileContents(Array(text.utf8), name: name)
}

/// A directory that is removed again.
package final class ScratchDirectory {
  package let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("apus-data-\(UUID().uuidString)").path

  package init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file below the directory.
  @discardableResult
  package func write(_ bytes: [UInt8], to name: String) throws -> String {
    let url = URL(fileURLWithPath: path).appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path
  }
}

/// A table of `count` examples with one number each, the row's, and the labels given.
package func numberedTable(_ count: Int, labels: [Int32]? = nil, classCount: Int = 10)
  -> ExampleTable
{
  ExampleTable(
    count: count, inputShape: [1], inputs: .numbers((0..<count).map { Float($0) }),
    targets: .classes(
      labels ?? (0..<count).map { Int32($0 % classCount) }, classCount: classCount))
}

/// A region's bytes, copied.
package func array(_ region: ByteRegion) -> [UInt8] { region.withBytes { Array($0) } }
