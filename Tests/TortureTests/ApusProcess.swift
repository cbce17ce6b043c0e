// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The program that was built with the tests, running; what it prints goes to files.
final class ApusProcess {
  let name: String
  let outputFile: URL
  let messagesFile: URL
  private let process = Process()

  static var executable: URL {
    var directory = URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0])
      .deletingLastPathComponent()
    for bundle in Bundle.allBundles where bundle.bundlePath.hasSuffix(".xctest") {
      directory = bundle.bundleURL.deletingLastPathComponent()
    }
    return directory.appendingPathComponent("apus")
  }

  /// Starts it.
  ///
  /// - Parameters:
  ///   - name: of the files that its output is appended to.
  ///   - words: its arguments.
  ///   - directory: where these files are.
  ///   - environment: added to this process's own.
  /// - Throws: why it could not be started.
  init(
    _ name: String, _ words: [String], in directory: URL, environment: [String: String] = [:]
  ) throws {
    self.name = name
    outputFile = directory.appendingPathComponent("\(name).out")
    messagesFile = directory.appendingPathComponent("\(name).err")
    process.executableURL = Self.executable
    process.arguments = words
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try Self.appending(to: outputFile)
    process.standardError = try Self.appending(to: messagesFile)
    try process.run()
  }

  /// Nothing outlives its test, also where that fails.
  deinit { kill() }

  private static func appending(to file: URL) throws -> FileHandle {
    if !FileManager.default.fileExists(atPath: file.path) { try Data().write(to: file) }
    let handle = try FileHandle(forWritingTo: file)
    try handle.seekToEnd()
    return handle
  }

  var isRunning: Bool { process.isRunning }

  /// As the system counts processes.
  var number: Int32 { process.processIdentifier }

  func send(_ signal: Int32) { _ = Glibc.kill(process.processIdentifier, signal) }

  /// Ends it at once, as a power failure would.
  func kill() {
    if process.isRunning { _ = Glibc.kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }

  /// Asks it to stop and waits; its exit code.
  func stop() -> Int32 {
    if process.isRunning { process.terminate() }
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// The exit code once it has ended.
  func status() -> Int32 {
    process.waitUntilExit()
    return process.terminationReason == .uncaughtSignal
      ? 128 + process.terminationStatus : process.terminationStatus
  }

  func output() throws -> String { try String(contentsOf: outputFile, encoding: .utf8) }
  func messages() throws -> String { try String(contentsOf: messagesFile, encoding: .utf8) }
}
