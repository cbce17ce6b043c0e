// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData
internal import ApusEdge
internal import ApusNumerics

/// What `apus join` was told of a device, kept in its state directory so that the next time no word is needed.
struct DeviceSettings: Hashable {
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
    guard let bytes = StateFile.read("\(directory)/\(file)", limit: 1 << 20) else { return nil }
    var parser = JSON5Parser(String(decoding: bytes, as: UTF8.self))
    guard let node = try? parser.parse(), case .object = node.value else { return nil }
    var settings = DeviceSettings()
    settings.data = node["data"]?.text
    settings.dataSettings = node["dataSettings"]?.texts ?? []
    settings.gates = node["gates"]?.texts ?? []
    settings.hours = node["hours"]?.text
    settings.memoryLimit = node["memoryLimit"]?.integer
    settings.timeLimit = node["timeLimit"]?.integer
    settings.sleeps = node["sleeps"]?.boolean ?? false
    settings.niceness = node["niceness"]?.integer ?? 10
    return settings
  }

  func save(to directory: String) throws(NumericsError) {
    let text = JSONText.members([
      "data": data.map(JSONText.text), "dataSettings": .array(dataSettings.map(JSONText.text)),
      "gates": .array(gates.map(JSONText.text)), "hours": hours.map(JSONText.text),
      "memoryLimit": memoryLimit.map { .integer(Int64($0)) },
      "timeLimit": timeLimit.map { .integer(Int64($0)) }, "sleeps": .boolean(sleeps),
      "niceness": .integer(Int64(niceness)),
    ]).pretty
    try DurableFile.write(Array(text.utf8), to: "\(directory)/\(Self.file)", permissions: 0o600)
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

extension JSON5Node {
  fileprivate var text: String? {
    if case .string(let text) = value { text } else { nil }
  }

  fileprivate var texts: [String]? {
    if case .array(let nodes) = value { nodes.compactMap(\.text) } else { nil }
  }

  fileprivate var integer: Int? {
    if case .number(let text) = value { Int(text) } else { nil }
  }

  fileprivate var boolean: Bool? {
    if case .boolean(let value) = value { value } else { nil }
  }
}
