// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Another program that a test runs.
struct Program {
  let path: String
  let arguments: [String]
  let directory: URL?

  struct Output {
    let status: Int32
    /// What it wrote, errors included.
    let text: String
  }

  init(_ name: String, _ arguments: [String], in directory: URL? = nil) throws {
    guard let path = Self.find(name) else { throw NotFound(name: name) }
    self.path = path
    self.arguments = arguments
    self.directory = directory
  }

  struct NotFound: Error { let name: String }

  /// Where a program is; nil where it is not installed.
  static func find(_ name: String) -> String? {
    if name.contains("/") { return FileManager.default.isExecutableFile(atPath: name) ? name : nil }
    return (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Runs it to its end.
  func run() throws -> Output {
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = arguments
    process.currentDirectoryURL = directory
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Output(
      status: process.terminationStatus, text: String(decoding: data, as: UTF8.self))
  }

  /// The same off the threads of Swift's tasks, which the server's handlers need.
  func runInBackground() async throws -> Output {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(with: Result { try run() }) }
    }
  }
}
