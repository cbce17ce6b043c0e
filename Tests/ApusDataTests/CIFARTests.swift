// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import DataFixtures
import Testing

@testable import ApusData

struct CIFARTests {
  func record(_ label: UInt8, _ first: UInt8) -> [UInt8] {
    let planes = (0..<3).flatMap { plane in
      (0..<1024).map { UInt8(truncatingIfNeeded: Int(first) + plane * 100 + $0) }
    }
    return [label] + planes
  }

  @Test("Planes become channels of pixels, files follow each other")
  func interleaved() throws {
    let table = try CIFARImages.table(parsing: [
      file(record(3, 1) + record(9, 2)), file(gzipped(record(0, 5))).inflated(),
    ])
    #expect(table.count == 3)
    #expect(table.inputShape == [32, 32, 3])
    #expect(table.labels == [3, 9, 0])
    guard case .bytes(let region, _, _) = table.inputs else { return #expect(Bool(false)) }
    #expect(Array(array(region).prefix(6)) == [1, 101, 201, 2, 102, 202])
    #expect(Array(array(region)[3072..<3075]) == [2, 102, 202])
    #expect(Array(array(region)[6144..<6147]) == [5, 105, 205])
  }

  @Test("Half a record and a label above 9 are errors")
  func malformed() {
    let short = #expect(throws: DataError.self) {
      try CIFARImages.table(parsing: [file(Array(record(1, 1).dropLast()), "b.bin")])
    }
    #expect(short?.code == .malformed)
    #expect(short?.file == "b.bin")
    let label = #expect(throws: DataError.self) {
      try CIFARImages.table(parsing: [file(record(1, 1) + record(10, 1))])
    }
    #expect(label?.code == .unknownCategory)
    #expect(label?.message.contains("record 1 is 10") == true)
  }
}
