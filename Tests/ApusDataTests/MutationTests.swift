// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import DataFixtures
import Testing

@testable import ApusData

/// Damaged files: every reader either reads them or throws a `DataError`, and never stops the program.
struct MutationTests {
  /// Flips, overwrites, removes, doubles or cuts some bytes.
  func mutated(_ bytes: [UInt8], by random: inout RandomStream) -> [UInt8] {
    var bytes = bytes
    for _ in 0...random.below(3) {
      guard !bytes.isEmpty else { return bytes }
      let place = random.below(bytes.count)
      switch random.below(6) {
      case 0: bytes[place] ^= 1 << UInt8(random.below(8))
      case 1: bytes[place] = UInt8(random.below(256))
      case 2: bytes.removeSubrange(place..<min(place + 1 + random.below(4), bytes.count))
      case 3: bytes.insert(contentsOf: bytes[place..<min(place + 8, bytes.count)], at: place)
      case 4: bytes.removeSubrange(place...)
      default: bytes[place] = [0, 255, 34, 44, 10, 91, 123, 92][random.below(8)]
      }
    }
    return bytes
  }

  /// - Returns: how many of the damaged files could not be read.
  func damage(
    _ bytes: [UInt8], times: Int = 2000, seed: UInt64 = 1, _ read: (FileContents) throws -> Void
  ) throws -> Int {
    var random = RandomStream(seed: seed)
    var refusedCount = 0
    try read(file(bytes))
    for _ in 0..<times {
      do {
        try read(file(mutated(bytes, by: &random)))
      } catch let error as DataError {
        #expect(!error.message.isEmpty)
        refusedCount += 1
      }
    }
    return refusedCount
  }

  @Test("IDX")
  func idxFiles() throws {
    let labels = idx(0x08, [4], [0, 1, 2, 3])
    let images = idx(0x08, [4, 2, 3], Array(0..<24))
    let refused = try damage(images) {
      _ = try ExampleTable(
        images: IDXArray(parsing: $0), labels: IDXArray(parsing: file(labels)), classCount: 4)
    }
    #expect(refused > 500)
    let refusedLabels = try damage(idx(0x0B, [4], [0, 1, 0, 2, 0, 3, 255, 255])) {
      _ = try IDXArray(parsing: $0).integers()
    }
    #expect(refusedLabels > 500)
  }

  @Test("gzip")
  func gzip() throws {
    let bytes = gzipped(idx(0x08, [4, 2, 3], Array(0..<24)))
    let refused = try damage(bytes) { _ = try $0.inflated(limit: 100) }
    #expect(refused > 1000)
    #expect(try damage(bytes) { _ = try IDXArray(parsing: $0) } > 1000)
  }

  @Test("CSV")
  func csv() throws {
    let schema = CSVSchema([
      .init("a", .number), .init("b", .category), .init("c", .targetClass(nil)),
    ])
    let text = "1,x,no\n2.5,\"y \"\"z\"\"\",yes\r\n-3e2,x,no\n"
    let refused = try damage(Array(text.utf8)) {
      let rows = try CSVRecords(parsing: $0, as: schema)
      _ = try TabularEncoding(fitting: rows).table(of: rows)
    }
    #expect(refused > 500)
  }

  @Test("CIFAR-10")
  func cifar() throws {
    let record = [UInt8(7)] + [UInt8](repeating: 200, count: 3072)
    let refused = try damage(record, times: 500) { _ = try CIFARImages.table(parsing: [$0]) }
    #expect(refused > 100)
  }

  @Test("LEAF")
  func leaf() throws {
    let text = """
      {"users": ["a", "b"], "num_samples": [1, 2], "user_data": {"a": {"x": [[1, 2.5]], "y": [0]},
      "b": {"x": [[3, 4], [5, -6e1]], "y": [1, 1]}}, "other": [null, {"\\u00e9": "\\n"}]}
      """
    let refused = try damage(Array(text.utf8)) {
      _ = try LEAFData(parsing: [$0]).table(classCount: 2)
    }
    #expect(refused > 1000)
  }

  @Test("Text")
  func text() throws {
    let refused = try damage(Array("a\tb\ncé\tðd\n".utf8)) {
      _ = try TextLines(parsing: $0).columns(2)
    }
    #expect(refused > 500)
  }
}
