// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// Written so that the same round gives the same bytes: clients in rising order, in columns. Counts are not
// written but counted again, so that no file can contradict itself.

extension RoundStateMachine: Codable {
  private enum Key: String, CodingKey {
    case round, policy, state, deadlineHasPassed, openPlaceCount, totalWeight, rejections
    case clients, standings, receipts
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(round, forKey: .round)
    try container.encode(policy, forKey: .policy)
    try container.encode(state, forKey: .state)
    try container.encode(deadlineHasPassed, forKey: .deadlineHasPassed)
    try container.encode(openPlaceCount, forKey: .openPlaceCount)
    try container.encode(totalWeight, forKey: .totalWeight)
    try container.encode(rejections, forKey: .rejections)
    let places = standings.risingPlaces
    try container.encode(places.map { standings.clients[$0] }, forKey: .clients)
    try container.encode(places.map { standings[$0].code }, forKey: .standings)
    try container.encode(places.map { standings[$0].receipt }, forKey: .receipts)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    func corrupted(_ key: Key, _ sentence: String) -> DecodingError {
      .dataCorruptedError(forKey: key, in: container, debugDescription: sentence)
    }
    self.init(
      round: try container.decode(Int.self, forKey: .round),
      policy: try container.decode(RoundPolicy.self, forKey: .policy))
    state = try container.decode(State.self, forKey: .state)
    deadlineHasPassed = try container.decode(Bool.self, forKey: .deadlineHasPassed)
    openPlaceCount = try container.decode(Int.self, forKey: .openPlaceCount)
    totalWeight = try container.decode(Int.self, forKey: .totalWeight)
    rejections = try container.decode([String: Int].self, forKey: .rejections)

    let clients = try container.decode([ClientID].self, forKey: .clients)
    let codes = try container.decode([Int].self, forKey: .standings)
    let receipts = try container.decode([UInt64].self, forKey: .receipts)
    guard clients.count == codes.count, clients.count == receipts.count else {
      throw corrupted(.clients, "The columns of clients differ in length.")
    }
    guard Standings.areRising(clients), let standings = Standings(inviting: clients) else {
      throw corrupted(.clients, "The clients are not in rising order, each once.")
    }
    self.standings = standings
    for (place, (code, receipt)) in zip(codes, receipts).enumerated() {
      guard let standing = Standing(code: code, receipt: receipt) else {
        throw corrupted(.standings, "There is no standing \(code).")
      }
      self.standings[place] = standing
      count(standing)
    }
    guard policy.quorum >= 1, policy.quorum <= policy.goal,
      foldedCount + foldingCount <= policy.goal, totalWeight >= foldedCount, openPlaceCount >= 0
    else {
      throw corrupted(.policy, "The counts of clients contradict the policy or the weight.")
    }
  }

  private mutating func count(_ standing: Standing) {
    switch standing {
    case .invited: waitedForCount += 1
    case .droppedOut: droppedOutCount += 1
    case .folding: foldingCount += 1
    case .folded: foldedCount += 1
    case .rejected: rejectedCount += 1
    case .surplus: surplusCount += 1
    }
  }
}
