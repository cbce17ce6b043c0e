// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import DataFixtures
import Testing

@testable import ApusData

struct IDXTests {
  let images = idx(0x08, [2, 2, 3], Array(0..<12))
  let labels = idx(0x08, [2], [1, 0])

  func error(_ bytes: [UInt8]) -> DataError? {
    #expect(throws: DataError.self) { try IDXArray(parsing: file(bytes, "x.idx")) }
  }

  @Test("Images and labels become a table of bytes, compressed or not")
  func table() throws {
    for bytes in [images, gzipped(images)] {
      let table = try ExampleTable(
        images: IDXArray(parsing: file(bytes)), labels: IDXArray(parsing: file(labels)),
        classCount: 2)
      #expect(table.count == 2)
      #expect(table.inputShape == [2, 3, 1])
      #expect(table.labels == [1, 0])
      guard case .bytes(let region, 1 / 255, 0) = table.inputs else { return #expect(Bool(false)) }
      #expect(array(region) == Array(0..<12))
    }
  }

  @Test("The elements are not copied")
  func noCopy() throws {
    let contents = file(images)
    let array = try IDXArray(parsing: contents)
    #expect(array.elements.bytes.baseAddress == contents.region.bytes.baseAddress.map { $0 + 16 })
  }

  @Test("Whole numbers of every size are read, signs included")
  func integers() throws {
    func integers(_ element: UInt8, _ count: Int, _ bytes: [UInt8]) throws -> [Int32] {
      try IDXArray(parsing: file(idx(element, [count], bytes))).integers()
    }
    #expect(try integers(0x08, 2, [0, 255]) == [0, 255])
    #expect(try integers(0x09, 2, [0, 255]) == [0, -1])
    #expect(try integers(0x0B, 2, [1, 2, 255, 254]) == [258, -2])
    #expect(try integers(0x0C, 2, [0, 1, 0, 0, 255, 255, 255, 253]) == [65536, -3])
    #expect(throws: DataError.self) { try integers(0x0D, 1, [0, 0, 0, 0]) }
  }

  @Test("Missing and surplus bytes are errors that tell both lengths")
  func lengths() {
    #expect(error(Array(images.dropLast()))?.message.contains("has 27 bytes") == true)
    #expect(error(Array(images.dropLast()))?.message.contains("cut off") == true)
    #expect(error(images + [0])?.message.contains("too long") == true)
    #expect(error(gzipped(images + [0]))?.code == .tooLarge)
    #expect(error(gzipped(Array(images.dropLast())))?.code == .malformed)
  }

  @Test(
    "A header that is none is an error",
    arguments: [
      [], [0, 0, 8], [1, 0, 8, 1], [0, 0, 7, 1, 0, 0, 0, 0], [0, 0, 8, 0],
      [0, 0, 8, 3, 0, 0, 0, 1],
    ])
  func headers(bytes: [UInt8]) {
    #expect(error(bytes)?.code == .malformed)
    #expect(error(bytes)?.file == "x.idx")
  }

  @Test("Dimensions whose product overflows are an error, not a crash")
  func overflow() {
    let huge = Array(repeating: 0xFFFF_FFFF, count: 3)
    #expect(error(idx(0x08, huge, []))?.code == .malformed)
    #expect(error(idx(0x0E, [1 << 31, 1 << 31], []))?.code == .malformed)
    #expect(error(gzipped(idx(0x08, huge, [])))?.code == .malformed)
    #expect(error(idx(0x08, [1 << 31], []))?.code == .malformed)
  }

  @Test("Images and labels that do not belong together are an error")
  func mismatch() throws {
    let pictures = try IDXArray(parsing: file(images))
    func code(_ labels: [UInt8], _ images: IDXArray) -> DataError.Code? {
      #expect(throws: DataError.self) {
        try ExampleTable(
          images: images, labels: IDXArray(parsing: file(labels)), classCount: 2)
      }?.code
    }
    #expect(code(idx(0x08, [3], [0, 0, 0]), pictures) == .countMismatch)
    #expect(code(idx(0x08, [2, 1], [0, 0]), pictures) == .countMismatch)
    #expect(code(idx(0x08, [2], [0, 2]), pictures) == .unknownCategory)
    #expect(code(idx(0x09, [2], [0, 255]), pictures) == .unknownCategory)
    #expect(code(labels, try IDXArray(parsing: file(labels))) == .unsupported)
  }
}
