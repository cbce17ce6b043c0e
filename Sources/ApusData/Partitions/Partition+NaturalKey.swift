// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

extension Partition {
  /// Everybody has their own: one client for each owner (writer, hospital, user), in rising order.
  ///
  /// - Parameters:
  ///   - owners: the owner of each row.
  ///   - random: the order of a client's rows, and so which are held back.
  /// - Returns: as many clients as owners.
  /// - Throws: `impossible-split` where there are no rows.
  public static func natural(
    owners: [Int32], shuffledBy random: RandomStream
  ) throws(DataError) -> Partition {
    guard !owners.isEmpty else {
      throw DataError(.impossibleSplit, "There are no examples to divide among their owners.")
    }
    var places: [Int32: Int] = [:]
    for (place, owner) in Set(owners).sorted().enumerated() { places[owner] = place }
    var rows = [[Int32]](repeating: [], count: places.count)
    for (row, owner) in owners.enumerated() {
      if let place = places[owner] { rows[place].append(Int32(row)) }
    }
    return Partition(rows, shuffledBy: random)
  }
}
