// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusEdge

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
