// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusEdge

/// What the device of a state directory is and what it did last, printed.
package struct DeviceReport {
  private let directory: String
  private let status: EdgeStatus
  private let settings: DeviceSettings?
  /// What keeps it from training now.
  private let reasons: [String]

  /// Prints the report, or why there is none.
  ///
  /// - Parameters:
  ///   - state: the directory; nil for the only one that this user has.
  ///   - console: where, and in which format.
  /// - Returns: how the command ends.
  /// - Throws: ``UsageError`` where nobody can tell which device is meant.
  package static func print(state: String?, on console: Console) throws(UsageError) -> ExitCode {
    guard let directory = state ?? DevicePlaces.only(console.environment) else {
      throw UsageError("no device has joined from here: expected --state DIR", command: "status")
    }
    do throws(EdgeError) {
      let report = try DeviceReport(directory)
      if console.format == .text {
        report.print(on: console)
      } else {
        console.print(json: report.json)
      }
      return .done
    } catch {
      console.complain(error.message)
      return .failed
    }
  }

  private init(_ directory: String) throws(EdgeError) {
    self.directory = directory
    status = try EdgeStatus(of: directory)
    settings = DeviceSettings.load(from: directory)
    var policy = EdgePolicy()
    policy.gates = (try? settings?.trainingGates()) ?? []
    reasons = policy.reasons(in: status.context).map(\.rawValue)
  }

  private var json: JSONText {
    .members([
      "state": .text(directory), "federation": .text(status.member.federation),
      "address": .text(status.member.address), "role": .text(status.member.role),
      "id": .text(status.member.id),
      // Seconds since 1970 (UTC).
      "certificateExpires": .integer(status.member.certificateExpires),
      "isRunning": .boolean(status.isRunning), "data": (settings?.data).map(JSONText.text),
      "reasons": .array(reasons.map(JSONText.text)),
      "unfinished": status.unfinished.map(JSONText.text),
      "cacheBytes": .integer(Int64(status.cacheByteCount)),
      "cacheFiles": .integer(Int64(status.cacheFileCount)),
      "rounds": .array(status.rounds.map(Self.json)),
    ])
  }

  private static func json(_ note: RoundNote) -> JSONText {
    .members([
      "time": .integer(note.time), "task": .text(note.task), "round": .unsigned(note.round),
      "outcome": .text(note.outcome), "reason": .text(note.reason),
      "weight": .unsigned(note.weight), "seconds": .number(note.seconds),
    ])
  }

  private func print(on console: Console) {
    let now = SystemClock.secondsSince1970
    let left = Double(status.member.certificateExpires - now)
    let end = left > 0 ? "ends in \(Cell.days(left))" : "is over: join again"
    console.print("\(status.member.role) \(status.member.id) of \(status.member.address)")
    console.print("state        \(directory)")
    console.print("certificate  \(end)")
    console.print("running      \(status.isRunning ? "yes" : "no")")
    if let data = settings?.data { console.print("data         \(data)") }
    let hold = reasons.isEmpty ? "may train" : reasons.joined(separator: ", ")
    console.print("gates        \(hold)")
    console.print(
      "cache        \(Cell.count(status.cacheFileCount)) files, \(Cell.count(status.cacheByteCount)) bytes"
    )
    if let unfinished = status.unfinished { console.print("unfinished   \(unfinished)") }
    guard !status.rounds.isEmpty else { return }
    console.print("")
    Table.print(
      [
        .init(title: "round"), .init(title: "outcome", side: .left), .init(title: "examples"),
        .init(title: "seconds"), .init(title: "when", side: .left),
      ],
      status.rounds.suffix(10).map { round in
        let ago = Double(now - round.time)
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
