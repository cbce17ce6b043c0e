// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusTraining

/// `apus simulate --profile`: where the time of a training step goes, as lines for a person.
enum ProfileTable {
  static func lines(_ profile: ProgramProfile) -> [String] {
    let columns: [Table.Column] = [
      .init(title: "a training step", side: .left), .init(title: "µs"), .init(title: "share"),
      .init(title: "GFLOP/s"),
    ]
    let rows =
      profile.rows.map { row in
        [
          row.title, Cell.fixed(row.seconds * 1e6, digits: 1),
          Cell.percent(row.seconds / profile.seconds),
          row.gigaflops.map { Cell.fixed($0, digits: 0) } ?? "",
        ]
      } + [["all", Cell.fixed(profile.seconds * 1e6, digits: 1), "", ""]]
    let table = Table(columns, fitting: rows)
    return [table.header] + rows.map(table.row)
      + ["\(profile.stepCount) steps of \(profile.batchSize) examples on one thread"]
  }
}
