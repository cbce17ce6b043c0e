// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusData
internal import ApusSimulation
internal import ApusTransport
internal import ApusWire
internal import Foundation

/// `apus doctor`: what is wrong, and how to mend it.
struct Doctor: Command {
  private static let data = Option(
    "data", .directory, "DIR", "Also look whether a device's data can be read.")

  static let grammar = Grammar(
    name: "doctor",
    summary: "Look for what is wrong, and say how to mend it.",
    details: """
      Looks at this machine (version, data sets, space on the disk, open files) and, where a hub is known or --hub \
      says one, at the way to it: address, port, certificates on both sides, clocks, its state and space, and \
      whether its audit log is unbroken. --hub takes a device's directory too.
      Ends with 1 where something is wrong, with 3 where the hub cannot be reached or does not let one in.
      """,
    options: [data, HubAccess.option, RunGrammar.dataDirectory],
    examples: [
      "apus doctor", "apus doctor --hub hub --format json", "apus doctor --data ./my-digits",
    ])

  private let hub: HubAccess
  private let localData: String?
  private let dataDirectory: String?

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    localData = words.value(Self.data)
    dataDirectory = words.value(RunGrammar.dataDirectory)
  }

  private struct Answer: Encodable {
    let healthy: Bool
    let findings: [Finding]
    let hub: HubDescription?
    /// Devices at work.
    let leases: UInt64?
    let auditEntries: UInt64?
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let progress = ProgressLine("Looking at this machine", on: console)
    defer { progress.finish() }
    var findings = MachineCheck.findings(
      dataDirectory: dataDirectory, localData: localData, environment: console.environment)
    progress.update("Asking the hub")
    var check = HubCheck()
    do throws(CoordinationError) {
      let profile = try hub.profile(on: console)
      await check.look(at: profile)
    } catch {
      let isAsked = hub.name != nil || console.environment["APUS_HUB"] != nil
      check.note(
        Finding("hub", isAsked ? .bad : .remark, error.message), isUnreachable: isAsked)
    }
    findings += check.findings
    progress.finish()
    let isHealthy = !findings.contains { $0.standing == .bad }
    if console.format == .text {
      print(findings, on: console)
    } else {
      try console.print(
        json: Answer(
          healthy: isHealthy, findings: findings, hub: check.description,
          leases: check.description?.leases, auditEntries: check.auditEntries))
    }
    return isHealthy ? .done : check.isUnreachable ? .unreachable : .failed
  }

  private func print(_ findings: [Finding], on console: Console) {
    let width = findings.map(\.check.count).max() ?? 0
    for finding in findings {
      let (mark, style): (String, Terminal.Style) =
        switch finding.standing {
        case .good: ("ok  ", .green)
        case .remark: ("note", .bold)
        case .bad: ("BAD ", .red)
        }
      let space = String(repeating: " ", count: width - finding.check.count)
      console.print(
        "\(console.output.styled(mark, style))  \(finding.check)\(space)  \(finding.message)")
      if let mend = finding.mend {
        console.print(String(repeating: " ", count: width + 8) + "→ \(mend)")
      }
    }
  }
}
