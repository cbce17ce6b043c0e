// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination

/// Rounds of a live federation as a table: who was there, what it gave, what it cost.
struct RoundTable {
  private let table: Table
  /// Whether there is room for seconds by phase.
  private let isWide: Bool

  /// - Parameter console: where it is printed; a narrow terminal has one column for all phases.
  init(on console: Console) {
    isWide = !console.output.isInteractive || console.output.width >= Self.wide
    var columns: [Table.Column] = [
      .init(title: "round", width: 6), .init(title: "invited", width: 7),
      .init(title: "accepted", width: 8), .init(title: "dropped", width: 7),
      .init(title: "accuracy", width: 9), .init(title: "down", width: 8),
      .init(title: "up", width: 8),
    ]
    columns += (isWide ? Self.phases : ["seconds"]).map { .init(title: $0, width: 7) }
    table = Table(columns + [.init(title: "", side: .left)])
  }

  private static let phases = ["select", "collect", "fold", "measure", "publish"]
  private static let wide = 112

  var header: String { table.header }

  func row(_ round: RoundDescription) -> String {
    let seconds = round.seconds
    let phases =
      isWide
      ? [seconds.select, seconds.collect, seconds.fold, seconds.evaluate, seconds.publish]
      : [seconds.total]
    let attempt = round.attempt > 1 ? ".\(round.attempt)" : ""
    return table.row(
      [
        "\(round.round)\(attempt)", Cell.count(round.invited), Cell.count(round.accepted),
        Cell.count(round.dropped), Cell.percent(round.accuracy), Cell.bytes(round.bytesDown),
        Cell.bytes(round.bytesUp),
      ] + phases.map { Cell.fixed($0, digits: 3) } + [Self.remark(on: round)])
  }

  /// What a row of numbers does not tell.
  private static func remark(on round: RoundDescription) -> String {
    var remarks: [String] = []
    if round.state != "published" {
      remarks.append(round.state + (round.abandonment.map { " (\($0))" } ?? ""))
    }
    if round.rejected > 0 { remarks.append("\(round.rejected) rejected") }
    return remarks.joined(separator: ", ")
  }
}
