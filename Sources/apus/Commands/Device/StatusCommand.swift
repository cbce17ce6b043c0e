// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands

/// `apus status`: what a device is and does, or how an aggregator fares.
struct StatusCommand: Command {
  static let grammar = Grammar(
    name: "status",
    summary: "Tell what the device of this machine is and did last; or how an aggregator fares.",
    options: [JoinCommand.state, HubAccess.option],
    formats: [.text, .json],
    examples: [
      "apus status", "apus status --state device1 --format json", "apus status --hub hub:8443",
    ])

  private let state: String?
  /// The aggregator that is asked about, in the place of the device.
  private let hub: HubAccess?

  init(_ words: Words) throws(UsageError) {
    state = words.value(JoinCommand.state)
    hub = words.contains(HubAccess.option) ? HubAccess(words) : nil
    if state != nil, hub != nil {
      throw words.failure("--state and --hub, expected one of the two")
    }
  }

  func run(on console: Console) async throws -> ExitCode {
    guard let hub else { return try DeviceReport.print(state: state, on: console) }
    try await HubStatus.print(hub: hub, on: console)
    return .done
  }
}
