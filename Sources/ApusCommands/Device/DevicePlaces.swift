// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusEdge

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where devices keep their state when nothing is said.
package enum DevicePlaces {
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
  package static func only(_ environment: [String: String]) -> String? {
    let root = root(environment)
    let devices = StateFile.names(in: root).filter {
      access("\(root)/\($0)/certificate.pem", F_OK) == 0
    }
    return devices.count == 1 ? "\(root)/\(devices[0])" : nil
  }

  /// The directory that the process works in.
  static var here: String {
    guard let path = getcwd(nil, 0) else { return "." }
    defer { free(path) }
    return String(cString: path)
  }

  /// What the machine calls itself.
  static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "device" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
