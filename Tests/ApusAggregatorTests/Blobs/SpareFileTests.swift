// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Foundation
import Testing

@testable import ApusAggregator

@Suite("Files that are written over")
struct SpareFileTests {
  private let place: StoreWorkplace

  init() throws { place = try StoreWorkplace() }

  private func file(_ name: String, _ byte: UInt8, size: Int) throws -> String {
    let path = place.path(name)
    try Data(repeating: byte, count: size).write(to: URL(filePath: path))
    return path
  }

  @Test("A file serves the next upload of its size, the one that was added last first")
  func reuse() throws {
    let spares = SpareFiles(in: place.path)
    try spares.add(file("a", 1, size: 100), size: 100)
    try spares.add(file("b", 2, size: 100), size: 100)
    #expect(!spares.take(99, as: place.path("none")))
    #expect(spares.take(100, as: place.path("c")))
    #expect(try Data(contentsOf: URL(filePath: place.path("c"))).first == 2)
    #expect(spares.take(100, as: place.path("d")))
    #expect(!spares.take(100, as: place.path("e")))
    let names = try FileManager.default.contentsOfDirectory(atPath: place.path)
    #expect(names.sorted() == ["c", "d"])
  }

  @Test("What is too large, or one too many, is removed, and all are when the disk is short")
  func limits() throws {
    let spares = SpareFiles(in: place.path)
    try spares.add(file("large", 1, size: 10), size: SpareFiles.totalLimit + 1)
    for index in 0..<5 {
      try spares.add(file("\(index)", 1, size: 10), size: SpareFiles.totalLimit / 4)
    }
    func names() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: place.path)
    }
    #expect(try names().count == 4 && names().allSatisfy { $0.hasSuffix(".spare") })
    #expect(spares.removeAll() && !spares.removeAll())
    #expect(try names() == [])
  }

  @Test("A blob with a chunk of zeros gets a new file: the chunk is left out")
  func holes() throws {
    let size = Int(BlobManifest.usualChunkSize)
    let zeros = [UInt8](repeating: 0, count: size)
    #expect(BlobManifest(of: noise(size) + zeros).hasHoles)
    // What is shorter, or cut otherwise, is written.
    #expect(!BlobManifest(of: noise(size) + zeros[..<5]).hasHoles)
    #expect(!BlobManifest(of: zeros, chunkSize: 65_536).hasHoles)
  }
}
