// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import ApusNumerics

/// The files of one run, enough to repeat, resume, plot and publish it.
///
/// Whoever works in a directory holds a lock on its log, so that two processes never write the same run.
final class RunDirectory {
  let path: String
  private let log: FileHandle

  var recipeFile: String { file("recipe.json5") }
  var graphFile: String { file("graph.json") }
  var metricsFile: String { file("metrics.jsonl") }
  var clientsFile: String { file("clients.jsonl") }
  var summaryFile: String { file("summary.json") }
  var modelFile: String { file("model.safetensors") }
  var checkpointDirectory: String { file("checkpoint") }
  var reportFile: String { file("report.html") }

  func file(_ name: String) -> String { path + "/" + name }

  /// Makes the directory of a new run.
  ///
  /// - Parameters:
  ///   - wanted: where; nil for the first of `runs/NAME-seedN`, `runs/NAME-seedN-2`, … that is free.
  ///   - name: the recipe's name.
  ///   - seed: the recipe's seed.
  /// - Returns: the directory, locked.
  /// - Throws: `output-exists` and `output-unwritable`.
  static func create(
    at wanted: String?, name: String, seed: UInt64
  ) throws(SimulationError) -> RunDirectory {
    let files = FileManager.default
    if let wanted {
      guard isFree(wanted) else {
        throw SimulationError(
          .outputExists,
          "\(wanted) is not empty. Expected a new or empty directory; choose another --out, or go on "
            + "with the run that is there: apus simulate --resume \(wanted)")
      }
      return try RunDirectory(creating: wanted)
    }
    let base = "runs/\(name)-seed\(seed)"
    var candidate = base
    var ordinal = 1
    while files.fileExists(atPath: candidate) {
      ordinal += 1
      candidate = "\(base)-\(ordinal)"
    }
    return try RunDirectory(creating: candidate)
  }

  /// Whether a run can begin here: nothing is there, or only what a run leaves that was killed before
  /// its recipe was written.
  private static func isFree(_ path: String) -> Bool {
    let files = FileManager.default
    guard let names = try? files.contentsOfDirectory(atPath: path) else { return true }
    let leftovers = ["log.txt", "graph.json", "checkpoint"]
    let checkpoints = try? files.contentsOfDirectory(atPath: path + "/checkpoint")
    return checkpoints?.isEmpty ?? true
      && names.allSatisfy {
        leftovers.contains($0) || ($0.hasPrefix(".") && $0.hasSuffix(".tmp"))
      }
  }

  private convenience init(creating path: String) throws(SimulationError) {
    var directory = path.hasPrefix("/") ? "/" : ""
    for part in "\(path)/checkpoint".split(separator: "/").map(String.init) {
      directory += "\(part)/"
      guard mkdir(directory, 0o777) == 0 || errno == EEXIST else {
        throw SimulationError(
          .outputUnwritable,
          "Cannot make the run directory \(path): \(directory): \(String(cString: strerror(errno))). "
            + "Choose a place that can be written to with --out.")
      }
    }
    try self.init(opening: path)
  }

  /// Opens the directory of a run that was begun before.
  convenience init(resuming path: String) throws(SimulationError) {
    guard FileManager.default.fileExists(atPath: path + "/recipe.json5") else {
      throw SimulationError(
        .notARun,
        "\(path) is not a run directory: it has no recipe.json5. Expected a directory that "
          + "`apus simulate` made.")
    }
    try self.init(opening: path)
  }

  private init(opening path: String) throws(SimulationError) {
    self.path = path
    let logFile = path + "/log.txt"
    let descriptor = open(logFile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw SimulationError(
        .outputUnwritable,
        "Cannot write \(logFile): \(String(cString: strerror(errno))). "
          + "Choose a place that can be written to with --out.")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw SimulationError(
        .runIsBusy, "Another process is working in \(path). Wait for it, or stop it first.")
    }
    log = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// Unlocked by name: a child that another thread is starting holds a copy of the descriptor until it runs its program.
  deinit { _ = flock(log.fileDescriptor, LOCK_UN) }

  /// Adds a line to `log.txt`; a log that cannot be written never stops a run.
  func note(_ message: String) {
    let time = Date().formatted(.iso8601)
    try? log.write(contentsOf: Data("\(time) \(message)\n".utf8))
  }

  /// Writes a file whole or not at all.
  static func write(_ text: String, to file: String) throws(SimulationError) {
    try failing("write", file) { try DurableFile.write(Array(text.utf8), to: file) }
  }

  /// Encodes a value as JSON with sorted keys.
  func writeJSON(_ value: some Encodable, to file: String) throws(SimulationError) {
    try Self.write(Self.json(value, pretty: true) + "\n", to: file)
  }

  static func json(_ value: some Encodable, pretty: Bool = false) throws(SimulationError) -> String
  {
    let encoder = JSONEncoder()
    encoder.outputFormatting =
      pretty
      ? [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
      : [.sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self)
    } catch {
      throw SimulationError(.outputUnwritable, "Cannot encode \(type(of: value)): \(error)")
    }
  }

  /// Runs a file operation and says which file it was where it fails.
  static func failing<Result>(
    _ verb: String, _ file: String, _ body: () throws -> Result
  ) throws(SimulationError) -> Result {
    do {
      return try body()
    } catch {
      let message =
        (error as? NumericsError)?.message ?? "Cannot \(verb) \(file): \(reason(of: error))."
      throw SimulationError(.outputUnwritable, message, cause: error)
    }
  }

  /// What the system says, where Foundation has wrapped it.
  private static func reason(of error: any Error) -> String {
    let outer = error as NSError
    let inner = outer.userInfo[NSUnderlyingErrorKey] as? NSError ?? outer
    return inner.domain == NSPOSIXErrorDomain
      ? String(cString: strerror(Int32(inner.code))) : "\(error)"
  }
}
