// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

extension Partition {
  /// Every client has the same number of rows, give or take one, drawn from all of them.
  ///
  /// > H. B. McMahan et al. "Communication-efficient learning of deep networks from decentralized
  /// > data." AISTATS 2017, section 3: shuffled, then cut.
  ///
  /// - Throws: `impossible-split` with fewer rows than clients.
  public static func iid(
    rowCount: Int, clients: Int, shuffledBy random: RandomStream
  ) throws(DataError) -> Partition {
    try checkClients(clients, rowCount: rowCount)
    return Partition(cut(shuffledRows(rowCount, by: random), into: clients))
  }

  /// The rows in random order.
  package static func shuffledRows(_ count: Int, by random: RandomStream) -> [Int32] {
    var rows = Array(0..<Int32(count))
    var stream = random
    stream.shuffle(&rows)
    return rows
  }

  /// Runs of equal length, the first ones longer by one where it does not come out even.
  static func cut(_ rows: [Int32], into count: Int) -> [[Int32]] {
    let (length, rest) = rows.count.quotientAndRemainder(dividingBy: count)
    return (0..<count).map { part in
      let start = part * length + min(part, rest)
      return Array(rows[start..<start + length + (part < rest ? 1 : 0)])
    }
  }

  static func checkClients(_ clients: Int, rowCount: Int) throws(DataError) {
    guard clients > 0 else {
      throw DataError(
        .impossibleSplit, "Cannot divide data among \(clients) clients; ask for 1 or more.")
    }
    guard rowCount >= clients else {
      throw DataError(
        .impossibleSplit,
        "Cannot divide \(rowCount) examples among \(clients) clients: every client needs one. "
          + "Ask for fewer clients.")
    }
  }
}
