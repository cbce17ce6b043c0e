// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

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

  @Test("What is too large, or one too many, is removed")
  func limits() throws {
    let spares = SpareFiles(in: place.path)
    try spares.add(file("large", 1, size: 10), size: SpareFiles.sizeLimit + 1)
    let count = Int(SpareFiles.totalLimit / SpareFiles.sizeLimit) + 1
    for index in 0..<count {
      try spares.add(file("\(index)", 1, size: 10), size: SpareFiles.sizeLimit)
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: place.path)
    #expect(names.count == count - 1 && names.allSatisfy { $0.hasSuffix(".spare") })
  }
}
