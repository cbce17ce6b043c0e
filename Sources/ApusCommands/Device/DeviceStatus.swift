// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// `apus-device status`: what a device is and does.
package struct DeviceStatus: Command {
  package static let grammar = Grammar(
    name: "status",
    summary: "Tell what the device of this machine is and did last.",
    options: [JoinCommand.state],
    formats: [.text, .json],
    examples: ["apus status", "apus status --state device1 --format json"])

  private let state: String?

  package init(_ words: Words) throws(UsageError) { state = words.value(JoinCommand.state) }

  package func run(on console: Console) throws -> ExitCode {
    try DeviceReport.print(state: state, on: console)
  }
}
