// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusWire

/// What the commands about devices have in common.
enum DeviceGrammar {
  static let device = Argument(
    "DEVICE", .text, .one, "A device's id, its number, or its name where no other device has it.")

  /// Prints one device.
  static func print(_ info: Proto.DeviceInfo, on console: Console) throws {
    let device = DeviceDescription(info)
    guard console.format == .text else { return try console.print(json: device) }
    console.print("device    \(number(device)), \(device.name), \(device.standing)")
    console.print("id        \(device.device)")
    if !device.labels.isEmpty { console.print("labels    \(labels(device))") }
    console.print("role      \(device.role)")
    console.print(
      "rounds    \(Cell.count(device.roundsCounted)) counted, "
        + "\(Cell.count(device.updatesRejected)) updates rejected, "
        + "\(Cell.count(device.leasesLost)) leases lost")
    console.print("enrolled  \(device.enrolled)")
    console.print("seen      \(device.lastSeen ?? "never")")
    console.print("renews    before \(device.certificateExpires ?? "–")")
    if !device.build.isEmpty { console.print("build     \(device.build)") }
  }

  /// Only devices are counted; people who joined are not.
  static func number(_ device: DeviceDescription) -> String {
    device.role == Role.device.rawValue ? "\(device.number)" : "–"
  }

  static func labels(_ device: DeviceDescription) -> String {
    device.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      .joined(separator: ", ")
  }
}
