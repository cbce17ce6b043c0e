// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// One function an event; each says in which states it may come.

extension RoundStateMachine {
  mutating func start(population: Int) -> [Action] {
    guard state == .ready else { return bug("A round is started once.") }
    let count = policy.invitationCount(population: population)
    guard count >= policy.quorum else { return abandon(.tooFewClients) }
    state = .selecting(count: count)
    return [.select(count: count)]
  }

  mutating func selected(_ clients: [ClientID]) -> [Action] {
    let actions = opened(clients)
    openPlaceCount = 0
    let isTooSmall = state == .collecting && clients.count < policy.quorum
    return isTooSmall ? abandon(.tooFewClients) : actions
  }

  mutating func opened(_ clients: [ClientID]) -> [Action] {
    if isOver { return [] }
    guard case .selecting(let count) = state else { return bug("Nobody was to be selected now.") }
    guard clients.count <= count else {
      return bug("\(clients.count) clients were selected; \(count) were asked for.")
    }
    guard let standings = Standings(inviting: clients) else {
      return bug("A client was selected twice.")
    }
    self.standings = standings
    waitedForCount = clients.count
    openPlaceCount = count - clients.count
    state = .collecting
    return [.broadcast(to: clients), .startDeadline]
  }

  mutating func joined(_ client: ClientID) -> [Action] {
    if let place = standings.place(of: client) {
      // It was lost and is back: it is waited for again. Anything else is noise.
      guard standings[place] == .droppedOut, isWaiting(for: client) else { return [] }
      standings[place] = .invited
      droppedOutCount -= 1
      waitedForCount += 1
      return [.broadcast(to: [client])]
    }
    // Noise: the place was closed, or the round, before the client's message was looked at.
    guard state == .collecting, !deadlineHasPassed, openPlaceCount > 0 else { return [] }
    standings.join(client)
    openPlaceCount -= 1
    waitedForCount += 1
    return [.broadcast(to: [client])]
  }

  mutating func placesClosed() -> [Action] {
    guard state == .collecting, openPlaceCount > 0 else { return [] }
    openPlaceCount = 0
    return closeIfDone()
  }

  mutating func arrived(_ client: ClientID, receipt: UInt64) -> [Action] {
    guard let place = standings.place(of: client) else { return [.refuse(client, .uninvited)] }
    switch standings[place] {
    case .folding(receipt), .folded(receipt): return [.confirm(client)]
    case .folding, .folded: return [.refuse(client, .duplicate)]
    case .rejected: return [.refuse(client, .rejected)]
    case .surplus: return [.refuse(client, .roundClosed)]
    case .invited, .droppedOut: break
    }
    guard state == .collecting else { return [.refuse(client, .roundClosed)] }
    if deadlineHasPassed { return [.refuse(client, .late)] }

    if standings[place] == .droppedOut {
      droppedOutCount -= 1
    } else {
      waitedForCount -= 1
    }
    if foldedCount + foldingCount == policy.goal {
      standings[place] = .surplus
      surplusCount += 1
      return [.refuse(client, .roundClosed)]
    }
    standings[place] = .folding(receipt: receipt)
    foldingCount += 1
    return [.fold(client)]
  }

  mutating func folded(_ client: ClientID, weight: Int) -> [Action] {
    if isOver { return [] }
    guard let place = standings.place(of: client),
      case .folding(let receipt) = standings[place]
    else { return bug("\(client) was folded without being asked for.") }
    guard weight > 0 else { return bug("\(client) was folded with weight \(weight).") }
    standings[place] = .folded(receipt: receipt)
    foldingCount -= 1
    foldedCount += 1
    totalWeight += weight
    return closeIfDone()
  }

  mutating func rejected(_ client: ClientID, reason: String) -> [Action] {
    if isOver { return [] }
    guard let place = standings.place(of: client), case .folding = standings[place]
    else { return bug("\(client) was rejected without being asked for.") }
    standings[place] = .rejected
    foldingCount -= 1
    rejectedCount += 1
    rejections[reason, default: 0] += 1
    return closeIfDone()
  }

  mutating func droppedOut(_ client: ClientID) -> [Action] {
    // Noise: not of this round, known, or its update is here already.
    guard state == .collecting, let place = standings.place(of: client),
      standings[place] == .invited
    else { return [] }
    standings[place] = .droppedOut
    waitedForCount -= 1
    droppedOutCount += 1
    return closeIfDone()
  }

  mutating func deadlinePassed() -> [Action] {
    guard state == .collecting else { return [] }
    deadlineHasPassed = true
    return closeIfDone()
  }

  mutating func combined() -> [Action] {
    if isOver { return [] }
    guard state == .combining else { return bug("Nothing was to be combined now.") }
    state = .committing
    return [.commit]
  }

  mutating func notCombinable() -> [Action] {
    if isOver { return [] }
    guard state == .combining else { return bug("Nothing was to be combined now.") }
    return abandon(.notCombinable)
  }

  mutating func committed() -> [Action] {
    guard state == .committing else { return bug("Nothing was to be committed now.") }
    state = .over(.committed)
    return [.finish(report(.committed))]
  }

  mutating func cancelled() -> [Action] {
    // What is being committed may be durable already: it is too late.
    if isOver || state == .committing { return [] }
    return abandon(.cancelled)
  }

  /// Goes on from collecting when there is nothing more to wait for.
  private mutating func closeIfDone() -> [Action] {
    let canStillArrive = deadlineHasPassed ? 0 : waitedForCount + openPlaceCount
    if foldedCount + foldingCount + canStillArrive < policy.quorum { return abandon(.quorumMissed) }
    let isComplete = foldedCount == policy.goal || canStillArrive == 0
    guard isComplete, foldingCount == 0 else { return [] }
    state = .combining
    return [.combine]
  }

  private mutating func abandon(_ reason: RoundReport.Abandonment) -> [Action] {
    state = .over(.abandoned(reason))
    return [.abandon(report(.abandoned(reason)))]
  }

  private func bug(_ sentence: String) -> [Action] {
    assertionFailure(sentence)
    return []
  }
}
