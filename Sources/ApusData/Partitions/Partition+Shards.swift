// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

extension Partition {
  /// The pathological split: rows sorted by label, cut into clients × `perClient` shards of equal
  /// length (give or take one), which are dealt to the clients at random.
  ///
  /// Most clients then see `perClient` classes. Within a class, rows are in random order before
  /// the cut. For MNIST with 100 clients and 2 shards each: 200 shards of 300.
  ///
  /// > H. B. McMahan et al. "Communication-efficient learning of deep networks from decentralized
  /// > data." AISTATS 2017, section 3.
  ///
  /// - Parameters:
  ///   - labels: the class of each row.
  ///   - clients: how many.
  ///   - perClient: shards for each.
  ///   - random: the same stream gives the same partition.
  /// - Returns: clients of `perClient` shards.
  /// - Throws: `impossible-split` with fewer rows than shards.
  public static func shards(
    labels: [Int32], clients: Int, perClient: Int, shuffledBy random: RandomStream
  ) throws(DataError) -> Partition {
    try checkClients(clients, rowCount: labels.count)
    let (count, isTooMany) = clients.multipliedReportingOverflow(by: perClient)
    guard perClient > 0, !isTooMany, count <= labels.count else {
      throw DataError(
        .impossibleSplit,
        "Cannot cut \(labels.count) examples into \(perClient) shards for each of \(clients) "
          + "clients. Ask for at least 1 shard a client, and for fewer shards than examples.")
    }
    let rows = rowsByClass(labels, shuffledBy: random.split(0))
    let shards = cut(Array(rows.joined()), into: count)
    let deal = shuffledRows(count, by: random.split(1))
    let owned = (0..<clients).map { client in
      deal[client * perClient..<(client + 1) * perClient].flatMap { shards[Int($0)] }
    }
    return Partition(owned, shuffledBy: random.split(2))
  }

  /// The rows of each class, classes in rising order, rows in random order.
  static func rowsByClass(_ labels: [Int32], shuffledBy random: RandomStream) -> [[Int32]] {
    var places: [Int32: Int] = [:]
    for (place, label) in Set(labels).sorted().enumerated() { places[label] = place }
    var rows = [[Int32]](repeating: [], count: places.count)
    for row in shuffledRows(labels.count, by: random) {
      if let place = places[labels[Int(row)]] { rows[place].append(row) }
    }
    return rows
  }
}
