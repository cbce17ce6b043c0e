// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The files in which a system tells about itself, below a directory: `/`, or a test's.
struct SystemRoot: Sendable {
  var path = ""

  struct PowerSupply: Hashable {
    var type: String
    var status: String
    var isOnline: Bool
    /// In per cent.
    var level: Int?
  }

  static var processorCount: Int { max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1) }

  /// A small file's text, without blanks around it; nil where it cannot be read.
  func text(_ file: String) -> String? {
    guard let bytes = StateFile.read(path + file, limit: 4096) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    return String(
      text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }

  func number(_ file: String) -> Int? { text(file).flatMap { Int($0) } }

  func names(in directory: String) -> [String] { StateFile.names(in: path + directory) }

  /// What feeds the machine; batteries of mice and keyboards are none of it.
  var powerSupplies: [PowerSupply] {
    let folder = "/sys/class/power_supply"
    return names(in: folder).compactMap { name in
      guard let type = text("\(folder)/\(name)/type"), text("\(folder)/\(name)/scope") != "Device"
      else { return nil }
      return PowerSupply(
        type: type, status: text("\(folder)/\(name)/status") ?? "",
        isOnline: number("\(folder)/\(name)/online") == 1,
        level: number("\(folder)/\(name)/capacity"))
    }
  }
}

/// Minutes since local midnight, now.
func minuteOfDay() -> Int {
  var (seconds, parts) = (time(nil), tm())
  localtime_r(&seconds, &parts)
  return Int(parts.tm_hour) * 60 + Int(parts.tm_min)
}
