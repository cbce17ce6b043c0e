// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Synchronization

/// A log of JSON lines: a time, a level, a sentence that is always the same for the same thing, and fields.
///
/// No value of an update, no key and no label gets here.
final class EventLog: Sendable {
  enum Level: String, Sendable, Comparable {
    case debug, info, warning, error

    private var rank: Int {
      switch self {
      case .debug: 0
      case .info: 1
      case .warning: 2
      case .error: 3
      }
    }

    static func < (a: Level, b: Level) -> Bool { a.rank < b.rank }
  }

  private let file: Mutex<FileHandle?>
  private let least: Level

  /// - Parameters:
  ///   - path: of a file that lines are added to; nil for standard error.
  ///   - least: what is below is left out.
  /// - Throws: `file-system`.
  init(path: String?, least: Level = .info) throws(AggregatorError) {
    self.least = least
    guard let path else {
      file = Mutex(.standardError)
      return
    }
    let manager = FileManager.default
    if !manager.fileExists(atPath: path) {
      _ = manager.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
    }
    guard let handle = FileHandle(forWritingAtPath: path),
      (try? handle.seekToEnd()) != nil
    else {
      throw AggregatorError(.fileSystem, "The log cannot be written to \(path).")
    }
    file = Mutex(handle)
  }

  /// A log that nobody reads.
  private init() {
    file = Mutex(nil)
    least = .error
  }

  static var none: EventLog { EventLog() }

  func debug(_ message: StaticString, _ fields: [String: String] = [:]) {
    write(.debug, message, fields)
  }

  func info(_ message: StaticString, _ fields: [String: String] = [:]) {
    write(.info, message, fields)
  }

  func warning(_ message: StaticString, _ fields: [String: String] = [:]) {
    write(.warning, message, fields)
  }

  func error(_ message: StaticString, _ fields: [String: String] = [:]) {
    write(.error, message, fields)
  }

  private func write(_ level: Level, _ message: StaticString, _ fields: [String: String]) {
    guard level >= least else { return }
    let time = Date.now.formatted(.iso8601.time(includingFractionalSeconds: true))
    var line = "{\"time\":\"\(time)\",\"level\":\"\(level.rawValue)\",\"message\":"
    line += Self.quoted("\(message)")
    for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
      line += ",\(Self.quoted(key)):\(Self.quoted(value))"
    }
    line += "}\n"
    let bytes = Data(line.utf8)
    // A log that cannot be written does not stop the work.
    file.withLock { try? $0?.write(contentsOf: bytes) }
  }

  /// An object of strings, its keys sorted.
  static func json(_ fields: [String: String]) -> String {
    let members = fields.sorted { $0.key < $1.key }
      .map { "\(quoted($0.key)):\(quoted($0.value))" }
    return "{" + members.joined(separator: ",") + "}"
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case _ where scalar.value < 0x20:
        let hex = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
