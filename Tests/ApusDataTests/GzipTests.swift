// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import DataFixtures
import Foundation
import Testing

@testable import ApusData

struct GzipTests {
  let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

  func error(_ bytes: [UInt8], limit: Int = 1 << 20) -> DataError? {
    #expect(throws: DataError.self) { try file(bytes, "some.gz").inflated(limit: limit) }
  }

  @Test("A gzip file inflates to what it was made of, in one member or in two")
  func inflates() throws {
    #expect(array(try file(gzipped(bytes)).inflated().region) == bytes)
    #expect(array(try file(gzipped([])).inflated().region) == [])
    let two = gzipped(Array(bytes.prefix(70_000))) + gzipped(Array(bytes.dropFirst(70_000)))
    #expect(array(try file(two).inflated().region) == bytes)
  }

  @Test("Bytes that are not compressed stay as they are")
  func plain() throws {
    let contents = file([1, 2, 3])
    #expect(try contents.inflated().region === contents.region)
  }

  @Test("The first bytes can be read alone")
  func prefix() throws {
    let compressed = file(gzipped(bytes)).region
    let first = try compressed.withBytes { try Gzip.prefix(of: $0, count: 16, name: "") }
    #expect(first == Array(bytes.prefix(16)))
    let short = file(gzipped([1, 2])).region
    #expect(try short.withBytes { try Gzip.prefix(of: $0, count: 16, name: "") } == [1, 2])
  }

  @Test(
    "A file that is cut off anywhere says so", arguments: [2, 9, 10, 15, 5000, 100_020, 100_026])
  func cutOff(count: Int) {
    let found = error(Array(gzipped(bytes).prefix(count)))
    #expect(found?.code == .corruptGzip)
    #expect(found?.message.hasPrefix("some.gz: is cut off") == true)
  }

  @Test("A damaged byte fails the checksum")
  func checksum() {
    var damaged = gzipped(bytes)
    damaged[5000] ^= 4
    #expect(error(damaged)?.code == .corruptGzip)
    #expect(error(damaged)?.message.contains("incorrect data check") == true)
  }

  @Test("Something that follows the end is an error")
  func trailing() {
    #expect(error(gzipped(bytes) + [0, 0, 7])?.message.contains("3 bytes follow") == true)
  }

  @Test("A file inflates to its limit and not to a byte more")
  func limit() throws {
    #expect(try file(gzipped(bytes)).inflated(limit: 100_000).region.count == 100_000)
    #expect(error(gzipped(bytes), limit: 99_999)?.code == .tooLarge)
    #expect(error(gzipped(bytes), limit: 0)?.code == .tooLarge)
  }

  @Test("A length that lies neither allocates nor passes")
  func lyingLength() {
    for length in [UInt32.max, 0] {
      let lying = gzipped(bytes).dropLast(4) + littleEndian(length)
      #expect(error(Array(lying), limit: 1 << 40)?.code == .corruptGzip)
    }
  }

  @Test("Files are read from disk, compressed or not, and a missing one names its path")
  func files() throws {
    let scratch = try ScratchDirectory()
    #expect(try array(FileContents(of: scratch.write(bytes, to: "a")).region) == bytes)
    let compressed = try scratch.write(gzipped(bytes), to: "a.gz")
    #expect(try array(FileContents(of: compressed).region) == bytes)
    #expect(try FileContents(of: scratch.write([], to: "empty")).region.count == 0)

    let missing = #expect(throws: DataError.self) { try FileContents(of: scratch.path + "/none") }
    #expect(missing?.code == .missingFile)
    #expect(missing?.message.hasPrefix(scratch.path + "/none: ") == true)
    let directory = #expect(throws: DataError.self) { try FileContents(of: scratch.path) }
    #expect(directory?.code == .fileSystem)
  }

  @Test("The digest is of the inflated bytes")
  func digest() {
    #expect(
      file("abc").digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }
}
