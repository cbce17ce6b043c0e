// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusEdge
internal import Foundation

/// What `apus join` was told of a device, kept in its state directory so that the next time no word is needed.
struct DeviceSettings: Codable, Hashable {
  /// A folder or a file, absolute.
  var data: String?
  /// `key=value` each, as in `apus-data.json5`.
  var dataSettings: [String] = []
  /// Words of `--when`.
  var gates: [String] = []
  /// `--hours`.
  var hours: String?
  var memoryLimit: Int?
  /// Seconds.
  var timeLimit: Int?
  var sleeps = false
  var niceness = 10

  static let file = "device.json"

  /// What an earlier `apus join` kept; nil where there is nothing.
  static func load(from directory: String) -> DeviceSettings? {
    guard let bytes = FileManager.default.contents(atPath: "\(directory)/\(file)") else {
      return nil
    }
    return try? JSONDecoder().decode(DeviceSettings.self, from: bytes)
  }

  func save(to directory: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    try encoder.encode(self).write(
      to: URL(fileURLWithPath: "\(directory)/\(Self.file)"), options: .atomic)
  }

  /// The gates that the words name.
  ///
  /// - Throws: a message for a word that names none.
  func trainingGates() throws(GateWords.Problem) -> [any TrainingGate] {
    var found: [any TrainingGate] = []
    for word in gates { found.append(try GateWords.gate(word)) }
    if let hours { found.append(try GateWords.hours(hours)) }
    return found
  }
}

/// The words of `--when` and `--hours`.
enum GateWords {
  struct Problem: Error {
    let message: String
  }

  static let names = ["idle", "charging", "unmetered", "cool", "battery"]

  /// `idle`, `charging`, `unmetered`, `cool:70`, `battery:40`.
  static func gate(_ text: String) throws(Problem) -> any TrainingGate {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    let number = parts.count > 1 ? Double(parts[1]) : nil
    let isWrong = parts.count > 1 && (number == nil || number?.isFinite == false)
    switch parts.first {
    case "idle"? where !isWrong: return IdleGate(loadLimit: number ?? 0.3)
    case "charging"? where parts.count == 1: return ChargingGate()
    case "unmetered"? where parts.count == 1: return UnmeteredGate()
    case "cool"? where !isWrong: return TemperatureGate(limit: number ?? 75)
    case "battery"? where !isWrong && (0...100).contains(number ?? 40):
      return BatteryGate(minimum: Int(number ?? 40))
    default:
      throw Problem(
        message: "--when \(text), expected some of idle[:LOAD], charging, unmetered, "
          + "cool[:DEGREES], battery[:PERCENT], with commas between them")
    }
  }

  /// `22-6`, `22:30-6:15`.
  static func hours(_ text: String) throws(Problem) -> HoursGate {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let begin = minute(parts[0]), let end = minute(parts[1]), begin != end
    else {
      throw Problem(message: "--hours \(text), expected two times of day, for example 22-6")
    }
    return HoursGate(begin: begin, end: end)
  }

  private static func minute(_ text: Substring) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard let hour = parts.first.flatMap({ Int($0) }), (0...24).contains(hour), parts.count <= 2
    else { return nil }
    guard parts.count == 2 else { return hour % 24 * 60 }
    guard let minute = Int(parts[1]), (0..<60).contains(minute), hour < 24 else { return nil }
    return hour * 60 + minute
  }
}

/// Where devices keep their state when nothing is said.
enum DevicePlaces {
  /// `$XDG_STATE_HOME/apus` or `~/.local/state/apus`.
  static func root(_ environment: [String: String]) -> String {
    if let state = environment["XDG_STATE_HOME"], !state.isEmpty { return state + "/apus" }
    return (environment["HOME"] ?? ".") + "/.local/state/apus"
  }

  /// Of the device in one federation.
  static func directory(for address: String, _ environment: [String: String]) -> String {
    root(environment) + "/" + name(of: address)
  }

  /// An address as a directory's name.
  static func name(of address: String) -> String {
    String(
      address.map { character in
        character.isASCII && (character.isLetter || character.isNumber || ".-".contains(character))
          ? character : "_"
      })
  }

  /// The only device that there is; nil where there is none or several.
  static func only(_ environment: [String: String]) -> String? {
    let root = root(environment)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    let devices = names.filter {
      FileManager.default.fileExists(atPath: "\(root)/\($0)/certificate.pem")
    }
    return devices.count == 1 ? "\(root)/\(devices[0])" : nil
  }
}
