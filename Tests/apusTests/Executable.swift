// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusSimulation
import Foundation
import Testing

/// The program that was built with the tests, as a process of its own.
enum Executable {
  struct Ending {
    let status: Int32
    let output: String
    let messages: String

    /// The summary that `--format json` prints.
    func summary() throws -> RunSummary {
      try JSONDecoder().decode(RunSummary.self, from: Data(output.utf8))
    }
  }

  static var url: URL { program("apus") }

  /// A program that was built with the tests.
  static func program(_ name: String) -> URL {
    var directory = Bundle.main.executableURL?.deletingLastPathComponent()
    for bundle in Bundle.allBundles where bundle.bundlePath.hasSuffix(".xctest") {
      directory = bundle.bundleURL.deletingLastPathComponent()
    }
    let path = URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0])
    return (directory ?? path.deletingLastPathComponent()).appendingPathComponent(name)
  }

  /// Runs it to its end.
  static func run(
    _ words: [String], environment: [String: String] = [:], executable: URL = Executable.url
  ) throws -> Ending {
    try Session(words, environment: environment, executable: executable).end()
  }

  /// Runs a shell script that may call it as `"$APUS"`, with words as `$1`, `$2`, ….
  static func shell(_ script: String, _ words: String...) throws -> Ending {
    try Session(
      ["-c", script, "sh"] + words, environment: ["APUS": url.path],
      executable: URL(fileURLWithPath: "/bin/sh")
    ).end()
  }

  /// A process that runs.
  final class Session {
    private let process = Process()
    private let output = Pipe()
    /// A file, so that messages that nobody reads never stop the program.
    private let messages: URL
    private var text = Data()

    init(
      _ words: [String], environment: [String: String] = [:], executable: URL = Executable.url
    ) throws {
      messages = FileManager.default.temporaryDirectory
        .appendingPathComponent("apus-messages-\(UUID().uuidString)")
      try Data().write(to: messages)
      process.executableURL = executable
      process.arguments = words
      process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
      process.standardOutput = output
      process.standardError = try FileHandle(forWritingTo: messages)
      try process.run()
    }

    /// Nothing outlives its test, also where that fails.
    deinit {
      if process.isRunning {
        send(SIGKILL)
        process.waitUntilExit()
      }
      try? FileManager.default.removeItem(at: messages)
    }

    /// Reads until so many lines were printed, or the program has ended.
    func read(lines count: Int) {
      while text.count(where: { $0 == UInt8(ascii: "\n") }) < count {
        let more = output.fileHandleForReading.availableData
        if more.isEmpty { return }
        text += more
      }
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for the end; the status of a process that a signal ended is 128 and the signal's number.
    func end() throws -> Ending {
      text += try output.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      let status = process.terminationStatus
      return Ending(
        status: process.terminationReason == .uncaughtSignal ? 128 + status : status,
        output: String(decoding: text, as: UTF8.self),
        messages: try String(contentsOf: messages, encoding: .utf8))
    }
  }
}

/// A directory of one test with small recipes in it, removed with the test.
final class Workplace {
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("apus-\(UUID().uuidString)").path

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func path(_ name: String) -> String { path + "/" + name }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try write(Data(text.utf8), to: name)
  }

  @discardableResult
  func write(_ bytes: Data, to name: String) throws -> String {
    let file = path(name)
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try bytes.write(to: URL(fileURLWithPath: file))
    return file
  }

  func text(of name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }

  func bytes(of name: String) throws -> Data { try Data(contentsOf: URL(filePath: path(name))) }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  func names(in name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted()
  }

  /// The rounds of a run's `metrics.jsonl`, their times made 0.
  func records(of run: String) throws -> [RoundRecord] {
    try text(of: run + "/metrics.jsonl").split(separator: "\n").map { line in
      var record = try JSONDecoder().decode(RoundRecord.self, from: Data(line.utf8))
      record.seconds = RoundRecord.Seconds()
      return record
    }
  }

  /// The digits, a linear model, everything that can go wrong in the field.
  static let recipe = """
    {
      model: "logistic",
      data: { set: "digits", split: { shards: { perClient: 2 } }, clients: 20 },
      algorithm: { fedprox: {
        localEpochs: 2, batchSize: 10, learningRate: 0.1, proximalStrength: 0.1 } },
      cohort: { size: 6 }, rounds: 60,
      system: { dropOutRate: 0.2, stragglerFraction: 0.5, overSelection: 1.2 },
    }
    """
}
