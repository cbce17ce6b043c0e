// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The Python that `APUS_PYTHON` names, or `python3`.
enum Python {
  static let path = Program.find(ProcessInfo.processInfo.environment["APUS_PYTHON"] ?? "python3")

  /// Whether modules can be imported.
  static func has(_ modules: String...) -> Bool {
    guard let path else { return false }
    let text = modules.map { "import \($0)" }.joined(separator: "; ")
    return (try? Program(path, ["-c", text]).run().status) == 0
  }

  /// Runs a script of this target's folder.
  static func run(_ script: String, _ arguments: [String]) async throws -> Program.Output {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return try await Program(
      path ?? "python3", [folder.appending(path: script).path(percentEncoded: false)] + arguments
    ).runInBackground()
  }
}
