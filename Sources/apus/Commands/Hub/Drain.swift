// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusWire

/// `apus drain`: ends an aggregator.
struct Drain: Command {
  private static let grace = Option(
    "grace", .text, "SECONDS",
    "How long rounds that run may take to finish; 0, if not said: they are kept as they are, and go on when "
      + "the aggregator is up again.")

  static let grammar = Grammar(
    name: "drain",
    summary: "Let an aggregator finish or keep what it does, and end.",
    details: """
      Devices are told when to come back; what was acknowledged is kept. 'apus serve' ends with 0. SIGTERM does \
      the same.
      """,
    options: [grace, HubAccess.option],
    examples: ["apus drain", "apus drain --grace 60 --hub hub.example:8443"])

  private let hub: HubAccess
  private let grace: Int

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    grace = try words.integer(Self.grace, in: 0...86_400) ?? 0
  }

  private struct Answer: Encodable {
    let connections: UInt64
    let roundsRunning: UInt64
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let reply = try await hub.use(on: console) { try await $0.drain(grace: .seconds(grace)) }
    if console.format == .text {
      console.print(
        "draining: \(Cell.count(reply.connections)) connections, \(Cell.count(reply.roundsRunning)) rounds "
          + "that run")
    } else {
      try console.print(
        json: Answer(connections: reply.connections, roundsRunning: reply.roundsRunning))
    }
    return .done
  }
}
