// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What `swift package dump-package` says of this package, as far as these tests ask.
struct Manifest: Decodable {
  struct Target: Decodable {
    struct Dependency: Decodable {
      /// A name and a condition; the second is often null.
      let byName: [String?]
    }

    let name: String
    let type: String
    /// Where its files are, if not where the package manager looks for them.
    let path: String?
    let dependencies: [Dependency]

    var folder: String { path ?? "\(type == "test" ? "Tests" : "Sources")/\(name)" }
    var imports: Set<String> { Set(dependencies.compactMap { $0.byName.first ?? nil }) }
  }

  let targets: [Target]

  /// What the architecture is made of; benchmarks and what supports tests have paths of their own.
  var modules: [Target] { targets.filter { $0.type != "test" && $0.path == nil } }

  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Asked once for all tests.
  static let ofThisPackage = Result { try dump() }

  /// Asks the package manager, with a scratch directory of its own: the build's is locked while tests run.
  private static func dump() throws -> Manifest {
    let scratch = FileManager.default.temporaryDirectory.appending(
      path: "apus-manifest-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let output = scratch.appending(path: "manifest.json")
    _ = FileManager.default.createFile(atPath: output.path, contents: nil)

    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "swift", "package", "--package-path", root.path, "--scratch-path", scratch.path,
      "dump-package",
    ]
    // The package manager leaves locks behind where it keeps what is temporary.
    process.environment = ProcessInfo.processInfo.environment
      .merging(["TMPDIR": scratch.path]) { $1 }
    process.standardOutput = try FileHandle(forWritingTo: output)
    try process.run()
    process.waitUntilExit()
    return try JSONDecoder().decode(Manifest.self, from: Data(contentsOf: output))
  }
}
