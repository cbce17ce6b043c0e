// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import ApusNumerics

struct DurableFileTests {
  @Test("A file is written, replaced, and leaves nothing beside it")
  func writes() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("model")
    try DurableFile.write([1, 2, 3], to: path)
    try DurableFile.write([4], to: path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([4]))
    try DurableFile.write([], to: path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.root) == ["model"])
  }

  @Test("Pieces become one file")
  func pieces() throws {
    let directory = try TemporaryDirectory()
    let bytes = (0..<100).map { UInt8($0) }
    try bytes.withUnsafeBytes {
      try DurableFile.write(
        pieces: [.init(rebasing: $0[..<40]), .init(rebasing: $0[40...])], to: directory.path("a"))
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: directory.path("a"))) == Data(bytes))
  }

  @Test(
    "Files of a group are all written, with the permissions asked for, and leave nothing beside them"
  )
  func groups() throws {
    let directory = try TemporaryDirectory()
    try FileManager.default.createDirectory(
      atPath: directory.path("b"), withIntermediateDirectories: false)
    try DurableFile.write([9], to: directory.path("a"))
    try DurableFile.write(
      group: [
        (directory.path("a"), [1]), (directory.path("b/c"), [2, 3]), (directory.path("d"), []),
      ],
      permissions: 0o600)
    #expect(try Data(contentsOf: URL(fileURLWithPath: directory.path("a"))) == Data([1]))
    #expect(try Data(contentsOf: URL(fileURLWithPath: directory.path("b/c"))) == Data([2, 3]))
    let names = try FileManager.default.subpathsOfDirectory(atPath: directory.root)
    #expect(names.sorted() == ["a", "b", "b/c", "d"])
    let attributes = try FileManager.default.attributesOfItem(atPath: directory.path("a"))
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
  }

  @Test("Where one file of a group cannot be written, those that are there stay as they were")
  func failedGroups() throws {
    let directory = try TemporaryDirectory()
    try DurableFile.write([9], to: directory.path("a"))
    let error = #expect(throws: NumericsError.self) {
      try DurableFile.write(group: [(directory.path("a"), [1]), (directory.path("no/such"), [2])])
    }
    #expect(error?.message.contains(directory.path("no/such")) == true)
    #expect(try Data(contentsOf: URL(fileURLWithPath: directory.path("a"))) == Data([9]))
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.root) == ["a"])
  }

  @Test("An error names the path and what the system said, and nothing is left behind")
  func errors() throws {
    let directory = try TemporaryDirectory()
    let missing = directory.path("no/such/model")
    let error = #expect(throws: NumericsError.self) { try DurableFile.write([1], to: missing) }
    #expect(error?.code == .fileSystem)
    #expect(error?.message == "Cannot create \(missing): No such file or directory.")

    // A directory cannot be replaced by a file, which is found out only when the bytes are written.
    let taken = directory.path("taken")
    try FileManager.default.createDirectory(atPath: taken, withIntermediateDirectories: false)
    #expect(throws: NumericsError.self) { try DurableFile.write([1], to: taken) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.root) == ["taken"])
  }
}

/// A directory that goes when the test goes.
final class TemporaryDirectory {
  let root: String

  init() throws {
    root = NSTemporaryDirectory() + "/apus-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func path(_ name: String) -> String { "\(root)/\(name)" }
}
