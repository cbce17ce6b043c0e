// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OwnThreads
import Testing

/// Devices of two makes, ours and one in Python on grpcio, keep to the protocol.
@Suite("Conformance", .serialized, .ownThread)
struct ConformanceTests: Sendable {
  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The Python that `APUS_PYTHON` names, or `python3`.
  private static let python = ProcessInfo.processInfo.environment["APUS_PYTHON"] ?? "python3"

  /// Whether that Python can import these packages.
  private static func hasPython(_ packages: [String]) -> Bool {
    let imports = packages.map { "import \($0)" }.joined(separator: "; ")
    return (try? run(["-c", imports.isEmpty ? "pass" : imports]))?.status == 0
  }

  private static func run(_ words: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [python] + words
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  private func expectConformance(of client: [String]) throws {
    let suite = Self.root.appending(path: "clients/conformance/conformance.py").path
    let result = try Self.run([suite, "--apus", ApusProcess.executable.path, "--"] + client)
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output.contains("8 of 8 passed"), "\(result.output)")
  }

  @Test("apus join keeps to the protocol", .enabled(if: hasPython([]), "there is no python3"))
  func ours() throws {
    try expectConformance(of: [
      ApusProcess.executable.path, "join", "{invitation}", "--state", "{state}", "--data",
      "{data}", "--rounds", "{rounds}",
    ])
  }

  @Test(
    "A device in Python, on grpcio and NumPy, keeps to the protocol and is counted",
    .enabled(
      if: hasPython(["grpc", "grpc_tools", "numpy", "cryptography"]),
      "set APUS_PYTHON to a Python with grpcio, grpcio-tools, numpy and cryptography"))
  func python() throws {
    let folder = Self.root.appending(path: "clients/python").path
    try expectConformance(of: [
      Self.python, "\(folder)/apus_client.py", "{invitation}", "--state", "{state}", "--data",
      "{data}", "--train", "\(folder)/train_numpy.py", "--rounds", "{rounds}",
    ])
  }
}
