// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusEdge
internal import Foundation

/// `apus status`: what a device is and what it does.
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

  private struct Answer: Encodable {
    struct Round: Encodable {
      let time: Int64
      let task: String
      let round: UInt64
      let outcome: String
      let reason: String
      let weight: UInt64
      let seconds: Double

      init(_ note: RoundNote) {
        (time, task, round) = (note.time, note.task, note.round)
        (outcome, reason) = (note.outcome, note.reason)
        (weight, seconds) = (note.weight, note.seconds)
      }
    }

    let state: String
    let federation: String
    let address: String
    let role: String
    let id: String
    /// Seconds since 1970 (UTC) when the certificate ends.
    let certificateExpires: Int64
    let isRunning: Bool
    let data: String?
    /// What keeps it from training now.
    let reasons: [String]
    let unfinished: String?
    let cacheBytes: Int
    let cacheFiles: Int
    let rounds: [Round]
  }

  func run(on console: Console) async throws -> ExitCode {
    if let hub {
      try await HubStatus.print(hub: hub, on: console)
      return .done
    }
    guard let directory = state ?? DevicePlaces.only(console.environment) else {
      throw UsageError(
        "no device has joined from here: expected --state DIR", command: "status")
    }
    let status: EdgeStatus
    do { status = try EdgeStatus(of: directory) } catch {
      console.complain(error.message)
      return .failed
    }
    let settings = DeviceSettings.load(from: directory)
    var policy = EdgePolicy()
    policy.gates = (try? settings?.trainingGates()) ?? []
    let reasons = policy.reasons(in: status.context).map(\.rawValue)
    let answer = Answer(
      state: directory, federation: status.member.federation, address: status.member.address,
      role: status.member.role, id: status.member.id,
      certificateExpires: status.member.certificateExpires, isRunning: status.isRunning,
      data: settings?.data, reasons: reasons, unfinished: status.unfinished,
      cacheBytes: status.cacheByteCount, cacheFiles: status.cacheFileCount,
      rounds: status.rounds.map(Answer.Round.init))
    if console.format == .text {
      print(answer, on: console)
    } else {
      try console.print(json: answer)
    }
    return .done
  }

  private func print(_ answer: Answer, on console: Console) {
    let left = Double(answer.certificateExpires) - Date().timeIntervalSince1970
    let end = left > 0 ? "ends in \(Cell.days(left))" : "is over: join again"
    console.print("\(answer.role) \(answer.id) of \(answer.address)")
    console.print("state        \(answer.state)")
    console.print("certificate  \(end)")
    console.print("running      \(answer.isRunning ? "yes" : "no")")
    if let data = answer.data { console.print("data         \(data)") }
    let hold = answer.reasons.isEmpty ? "may train" : answer.reasons.joined(separator: ", ")
    console.print("gates        \(hold)")
    console.print(
      "cache        \(Cell.count(answer.cacheFiles)) files, \(Cell.count(answer.cacheBytes)) bytes")
    if let unfinished = answer.unfinished { console.print("unfinished   \(unfinished)") }
    guard !answer.rounds.isEmpty else { return }
    console.print("")
    Table.print(
      [
        .init(title: "round"), .init(title: "outcome", side: .left), .init(title: "examples"),
        .init(title: "seconds"), .init(title: "when", side: .left),
      ],
      answer.rounds.suffix(10).map { round in
        let ago = Date().timeIntervalSince1970 - Double(round.time)
        let outcome = round.outcome + (round.reason.isEmpty ? "" : " (\(round.reason))")
        return [
          "\(round.round)", outcome, Cell.count(Int(clamping: round.weight)),
          Cell.fixed(round.seconds, digits: 2), "\(Cell.days(max(ago, 0))) ago",
        ]
      }, on: console)
  }
}

extension Cell {
  /// A time that may be long.
  fileprivate static func days(_ seconds: Double) -> String {
    seconds < 2 * 86_400 ? duration(seconds) : "\(Int(seconds / 86_400)) days"
  }
}
