// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusData

/// A split as it is printed.
struct SplitDescription: Encodable {
  struct Client: Encodable {
    let client: Int
    let train: Int
    let heldBack: Int
    /// Examples of each class.
    let labels: [Int]
  }

  let set: String
  let clients: Int
  /// All examples of all clients counted, by class.
  let labelCounts: [Int]
  let least: Int
  let median: Int
  let most: Int
  let counted: [Client]
  let picture: String?
  /// Where each client's examples were written.
  let folders: [String]?

  init(_ statistics: PartitionStatistics, picture: String?, folders: [String]? = nil) {
    set = statistics.name
    clients = statistics.clientCount
    labelCounts = statistics.labelCounts
    (least, median, most) = statistics.sizes
    counted = statistics.clients.map {
      Client(
        client: $0.index, train: $0.trainCount, heldBack: $0.testCount, labels: $0.labelCounts)
    }
    self.picture = picture
    self.folders = folders
  }

  /// Clients that text shows.
  private static let shownCount = 20
  /// Classes that have a column each; more are drawn.
  private static let columnCount = 12

  func print(on console: Console) {
    console.print(
      "\(set): \(Cell.count(clients)) clients, \(Cell.count(least)) to \(Cell.count(most)) examples "
        + "each, median \(Cell.count(median))\n")
    let count = min(Self.shownCount, counted.count)
    let shown = (0..<count).map { counted[$0 * counted.count / count] }
    let hasColumns = labelCounts.count <= Self.columnCount
    var columns: [Table.Column] = [
      .init(title: "client"), .init(title: "train"), .init(title: "held back"),
    ]
    if !labelCounts.isEmpty { columns.append(.init(title: "classes")) }
    if hasColumns {
      columns += labelCounts.indices.map { .init(title: "\($0)") }
    }
    if !labelCounts.isEmpty { columns.append(.init(title: "", side: .left)) }
    let rows = shown.map { client in
      var cells = [
        Cell.count(client.client), Cell.count(client.train), Cell.count(client.heldBack),
      ]
      if labelCounts.isEmpty { return cells }
      cells.append("\(client.labels.count { $0 > 0 })")
      if hasColumns { cells += client.labels.map { $0 == 0 ? "·" : Cell.count($0) } }
      cells.append(Self.bars(client.labels, width: max(16, console.output.width - 40)))
      return cells
    }
    Table.print(columns, rows, on: console)
    if shown.count < clients {
      console.note("\n\(shown.count) of \(Cell.count(clients)) clients; --format json has more.")
    }
    if let picture { console.print("\npicture  \(picture)") }
    if let folders, let first = folders.first, let last = folders.last {
      console.print("\nfolders  \(first) … \(last)")
    }
  }

  /// A bar for each class, as high as its share of the client's largest.
  static func bars(_ counts: [Int], width: Int) -> String {
    let levels: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    let most = max(counts.max() ?? 1, 1)
    return String(
      counts.prefix(width).map { $0 == 0 ? "·" : levels[($0 * levels.count - 1) / most] })
  }
}
