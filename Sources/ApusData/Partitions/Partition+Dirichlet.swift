// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

extension Partition {
  /// How often proportions are drawn before the minimum is given up.
  private static let attemptLimit = 1000

  /// Label skew: the rows of each class are divided in proportions drawn from a Dirichlet
  /// distribution.
  ///
  /// For every class, p ~ Dir(alpha, …, alpha) over the clients; the class's rows, in random order,
  /// are cut at ⌊n · (p₁ + … + pᵢ)⌋. If a client ends with fewer rows than `minimum`, all
  /// proportions are drawn again, up to 1,000 times. There is no cap on a client's size.
  ///
  /// > M. Yurochkin et al. "Bayesian nonparametric federated learning of neural networks." ICML
  /// > 2019, section 4; T.-M. H. Hsu, H. Qi, M. Brown. "Measuring the effects of non-identical data
  /// > distribution for federated visual classification." 2019 draws by client instead.
  ///
  /// - Parameters:
  ///   - labels: the class of each row.
  ///   - clients: how many.
  ///   - alpha: the concentration, in 10⁻⁶...10⁶: large for alike clients, small for clients of few
  ///     classes.
  ///   - minimum: the least rows a client may have, at least 0.
  ///   - random: the same stream gives the same partition.
  /// - Returns: clients of `minimum` rows or more.
  /// - Throws: `impossible-split` where the minimum cannot be had.
  public static func dirichlet(
    labels: [Int32], clients: Int, alpha: Double, minimum: Int, shuffledBy random: RandomStream
  ) throws(DataError) -> Partition {
    try checkClients(clients, rowCount: labels.count)
    try checkConcentration(alpha)
    let (needed, isTooMany) = clients.multipliedReportingOverflow(by: minimum)
    guard minimum >= 0, !isTooMany, needed <= labels.count else {
      throw DataError(
        .impossibleSplit,
        "Cannot give each of \(clients) clients at least \(minimum) of \(labels.count) examples.")
    }
    let rows = rowsByClass(labels, shuffledBy: random.split(0))
    for attempt in 0..<attemptLimit {
      var stream = random.split(1).split(attempt)
      let cuts = rows.map { stream.dirichletCuts($0.count, parts: clients, alpha: alpha) }
      let sizes = (0..<clients).map { client in
        cuts.reduce(0) { $0 + $1[client + 1] - $1[client] }
      }
      guard sizes.allSatisfy({ $0 >= minimum }) else { continue }
      let owned = (0..<clients).map { client in
        zip(rows, cuts).flatMap { rows, cuts in rows[cuts[client]..<cuts[client + 1]] }
      }
      return Partition(owned, shuffledBy: random.split(2))
    }
    throw DataError(
      .impossibleSplit,
      "In \(attemptLimit) draws of Dirichlet(\(alpha)), some of the \(clients) clients "
        + "always had fewer than \(minimum) examples. Take a larger alpha, a smaller minimum or fewer clients."
    )
  }

  /// Quantity skew: clients' sizes in proportions drawn from a Dirichlet distribution, contents
  /// alike.
  ///
  /// p ~ Dir(alpha, …, alpha) over the clients; everybody has one row, and the others are cut at
  /// ⌊n · (p₁ + … + pᵢ)⌋.
  ///
  /// > Q. Li, Y. Diao, Q. Chen, B. He. "Federated learning on non-IID data silos: an experimental
  /// > study." ICDE 2022, section IV-D.
  ///
  /// - Parameters:
  ///   - rowCount: rows to divide.
  ///   - clients: how many.
  ///   - alpha: the concentration, in 10⁻⁶...10⁶: large for sizes alike.
  ///   - random: the same stream gives the same partition.
  /// - Returns: clients of one row or more.
  /// - Throws: `impossible-split` with fewer rows than clients.
  public static func quantitySkew(
    rowCount: Int, clients: Int, alpha: Double, shuffledBy random: RandomStream
  ) throws(DataError) -> Partition {
    try checkClients(clients, rowCount: rowCount)
    try checkConcentration(alpha)
    let rows = shuffledRows(rowCount, by: random.split(0))
    var stream = random.split(1)
    let cuts = stream.dirichletCuts(rowCount - clients, parts: clients, alpha: alpha)
    let owned: [[Int32]] = (0..<clients).map { client in
      let (start, end) = (cuts[client] + client, cuts[client + 1] + client + 1)
      return Array(rows[start..<end])
    }
    return Partition(owned)
  }

  private static func checkConcentration(_ alpha: Double) throws(DataError) {
    guard (1e-6...1e6).contains(alpha) else {
      throw DataError(
        .impossibleSplit,
        "A Dirichlet split needs an alpha from 0.000001 to 1000000, such as 0.5, not \(alpha).")
    }
  }
}
