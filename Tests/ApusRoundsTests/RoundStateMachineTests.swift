// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusRounds

typealias Action = RoundStateMachine.Action
typealias Event = RoundStateMachine.Event

func ids(_ numbers: some Sequence<Int>) -> [ClientID] { numbers.map { ClientID(UInt64($0)) } }

/// Drives a machine; a class, since test macros cannot call what mutates.
final class Host {
  var machine: RoundStateMachine

  init(_ machine: RoundStateMachine) { self.machine = machine }

  convenience init(goal: Int, quorum: Double = 0, round: Int = 0) throws {
    self.init(
      RoundStateMachine(round: round, policy: try RoundPolicy(goal: goal, quorum: quorum)))
  }

  /// A round of a population of 1000 that waits for updates.
  static func collecting(
    goal: Int, overSelection: Double = 1, quorum: Double = 0
  ) throws -> Host {
    let policy = try RoundPolicy(goal: goal, overSelection: overSelection, quorum: quorum)
    let host = Host(RoundStateMachine(round: 0, policy: policy))
    host.play(.start(population: 1000))
    host.play(.selected(ids(0..<policy.invitationCount(population: 1000))))
    #expect(host.machine.state == .collecting)
    return host
  }

  @discardableResult
  func play(_ event: Event) -> [Action] { machine.handle(event) }

  /// A client's update comes and is counted.
  func contribute(_ client: ClientID, weight: Int = 1) -> [Action] {
    #expect(play(.arrived(client, receipt: 1)) == [.fold(client)])
    return play(.folded(client, weight: weight))
  }

  /// What is left when all updates are in.
  func finish() throws -> RoundReport {
    #expect(play(.combined) == [.commit])
    return try #require(ending(play(.committed)))
  }
}

/// What the last action reports.
func ending(_ actions: [Action]) -> RoundReport? {
  switch actions.last {
  case .finish(let report), .abandon(let report): report
  default: nil
  }
}

@Suite struct RoundStateMachineTests {
  @Test("A round in which everybody answers goes through every state once")
  func straightThrough() throws {
    let host = try Host(goal: 2, round: 7)
    #expect(host.machine.state == .ready)
    #expect(host.play(.start(population: 10)) == [.select(count: 2)])
    #expect(host.machine.state == .selecting(count: 2))
    #expect(
      host.play(.selected([3, 9])) == [.broadcast(to: [3, 9]), .startDeadline])
    #expect(host.play(.arrived(9, receipt: 1)) == [.fold(9)])
    #expect(host.play(.arrived(3, receipt: 2)) == [.fold(3)])
    #expect(host.machine.pendingFolds == [3, 9])
    #expect(host.play(.folded(3, weight: 600)) == [])
    #expect(host.play(.folded(9, weight: 150)) == [.combine])
    #expect(host.play(.combined) == [.commit])
    var expected = RoundReport(round: 7, outcome: .committed)
    expected.invited = 2
    expected.folded = 2
    expected.totalWeight = 750
    #expect(host.play(.committed) == [.finish(expected)])
    #expect(host.machine.isOver)
  }

  @Test("Over-selection invites more, rounded up, and never more than there are")
  func invitations() throws {
    #expect(try RoundPolicy(goal: 10, overSelection: 1.3).invitationCount(population: 1000) == 13)
    #expect(try RoundPolicy(goal: 5, overSelection: 1.3).invitationCount(population: 1000) == 7)
    #expect(try RoundPolicy(goal: 5, overSelection: 1.3).invitationCount(population: 6) == 6)
    // 100 × 1.1 is a little more than 110 in binary.
    #expect(try RoundPolicy(goal: 100, overSelection: 1.1).invitationCount(population: 999) == 110)
    #expect(try RoundPolicy(goal: 10, quorum: 0.7).quorum == 7)
    #expect(try RoundPolicy(goal: 10, quorum: 0.71).quorum == 8)
    #expect(try RoundPolicy(goal: 10, quorum: 0).quorum == 1)
  }

  @Test(
    "A policy outside of its range is refused by name",
    arguments: [
      (0, 1.0, 0.0, "goal"), (1, 0.9, 0.0, "overSelection"), (1, .nan, 0.0, "overSelection"),
      (1, .infinity, 0.0, "overSelection"), (1, 1.0, 1.1, "quorum"), (1, 1.0, .nan, "quorum"),
    ])
  func impossiblePolicy(goal: Int, overSelection: Double, quorum: Double, key: String) throws {
    let error = #expect(throws: RoundError.self) {
      try RoundPolicy(goal: goal, overSelection: overSelection, quorum: quorum)
    }
    #expect(error?.code == .invalidValue)
    #expect(error?.message.contains(key) == true)
  }

  @Test("The round closes at its goal, and who comes after is told so")
  func goal() throws {
    let host = try Host.collecting(goal: 2, overSelection: 2)
    #expect(host.contribute(0) == [])
    #expect(host.play(.arrived(1, receipt: 1)) == [.fold(1)])
    #expect(host.play(.arrived(2, receipt: 1)) == [.refuse(2, .roundClosed)])
    #expect(host.play(.folded(1, weight: 1)) == [.combine])
    #expect(host.play(.arrived(3, receipt: 1)) == [.refuse(3, .roundClosed)])
    let report = try host.finish()
    #expect((report.folded, report.surplus, report.unanswered) == (2, 1, 1))
  }

  @Test("The same upload again is confirmed, another of the same client refused")
  func duplicates() throws {
    let host = try Host.collecting(goal: 2)
    #expect(host.play(.arrived(0, receipt: 5)) == [.fold(0)])
    #expect(host.play(.arrived(0, receipt: 5)) == [.confirm(0)])
    #expect(host.play(.arrived(0, receipt: 6)) == [.refuse(0, .duplicate)])
    #expect(host.play(.folded(0, weight: 1)) == [])
    #expect(host.play(.arrived(0, receipt: 5)) == [.confirm(0)])
    #expect(host.play(.arrived(0, receipt: 6)) == [.refuse(0, .duplicate)])
    #expect(host.machine.foldedCount == 1)
  }

  @Test("Who was not invited is refused in every state")
  func uninvited() throws {
    let host = try Host(goal: 1)
    let refusal = [Action.refuse(99, .uninvited)]
    #expect(host.play(.arrived(99, receipt: 1)) == refusal)
    host.play(.start(population: 5))
    #expect(host.play(.arrived(99, receipt: 1)) == refusal)
    host.play(.selected([0]))
    #expect(host.play(.arrived(99, receipt: 1)) == refusal)
    #expect(host.play(.droppedOut(99)) == [])
    #expect(host.contribute(0) == [.combine])
    #expect(host.play(.arrived(99, receipt: 1)) == refusal)
    #expect(try host.finish().folded == 1)
    #expect(host.play(.arrived(99, receipt: 1)) == refusal)
  }

  @Test("A deadline with a quorum closes the round; who comes later is refused")
  func deadline() throws {
    let host = try Host.collecting(goal: 4, quorum: 0.5)
    #expect(host.contribute(0) == [])
    #expect(host.play(.arrived(1, receipt: 1)) == [.fold(1)])
    #expect(host.play(.deadlinePassed) == [])
    #expect(host.play(.arrived(2, receipt: 1)) == [.refuse(2, .late)])
    #expect(host.play(.folded(1, weight: 1)) == [.combine])
    #expect(host.play(.deadlinePassed) == [])
    let report = try host.finish()
    #expect((report.folded, report.unanswered) == (2, 2))
  }

  @Test("A deadline below quorum abandons the round")
  func deadlineBelowQuorum() throws {
    let host = try Host.collecting(goal: 4, quorum: 0.5)
    #expect(host.contribute(0) == [])
    let report = try #require(ending(host.play(.deadlinePassed)))
    #expect(report.outcome == .abandoned(.quorumMissed))
    #expect((report.folded, report.unanswered) == (1, 3))
    #expect(host.play(.arrived(1, receipt: 1)) == [.refuse(1, .roundClosed)])
  }

  @Test("A deadline that waits for a fold abandons the round when that fold is rejected")
  func rejectedAfterDeadline() throws {
    let host = try Host.collecting(goal: 2, quorum: 1)
    #expect(host.contribute(0) == [])
    #expect(host.play(.arrived(1, receipt: 1)) == [.fold(1)])
    #expect(host.play(.deadlinePassed) == [])
    let report = try #require(ending(host.play(.rejected(1, reason: "not-finite"))))
    #expect(report.outcome == .abandoned(.quorumMissed))
    #expect(report.rejections == ["not-finite": 1])
  }

  @Test("Drop-outs are not waited for, as long as a quorum can come")
  func dropOuts() throws {
    let host = try Host.collecting(goal: 4, quorum: 0.5)
    #expect(host.contribute(0) == [])
    #expect(host.play(.droppedOut(1)) == [])
    #expect(host.play(.droppedOut(1)) == [])
    #expect(host.play(.droppedOut(0)) == [])
    #expect(host.contribute(2) == [])
    #expect(host.play(.droppedOut(3)) == [.combine])
    let report = try host.finish()
    #expect((report.folded, report.droppedOut, report.unanswered) == (2, 2, 0))
  }

  @Test("A round is abandoned as soon as a quorum cannot come any more")
  func hopeless() throws {
    let host = try Host.collecting(goal: 3, quorum: 1)
    #expect(host.play(.arrived(0, receipt: 1)) == [.fold(0)])
    let report = try #require(ending(host.play(.droppedOut(1))))
    #expect(report.outcome == .abandoned(.quorumMissed))
    // The fold that was under way is noise now.
    #expect(host.play(.folded(0, weight: 1)) == [])
  }

  @Test("Who dropped out and is back before the round closes is welcome")
  func back() throws {
    let host = try Host.collecting(goal: 2)
    #expect(host.play(.droppedOut(0)) == [])
    #expect(host.contribute(0) == [])
    #expect(host.contribute(1) == [.combine])
    let report = try host.finish()
    #expect((report.folded, report.droppedOut) == (2, 0))
  }

  @Test("A rejected client's place goes to the next who comes, and the client stays refused")
  func rejected() throws {
    let host = try Host.collecting(goal: 1, overSelection: 2)
    #expect(host.play(.arrived(0, receipt: 1)) == [.fold(0)])
    #expect(host.play(.rejected(0, reason: "wrong-length")) == [])
    #expect(host.play(.arrived(0, receipt: 2)) == [.refuse(0, .rejected)])
    #expect(host.contribute(1) == [.combine])
    let report = try host.finish()
    #expect((report.folded, report.rejected) == (1, 1))
  }

  @Test("A host may play all arrivals first and all folds after")
  func batched() throws {
    let host = try Host.collecting(goal: 100, overSelection: 1.2, quorum: 0.5)
    var work: [ClientID] = []
    for client in ids(0..<120) {
      let isGone = client.rawValue % 10 == 3
      let event: Event = isGone ? .droppedOut(client) : .arrived(client, receipt: 0)
      for case .fold(let client) in host.play(event) { work.append(client) }
    }
    #expect(work.count == 100)
    var last: [Action] = []
    for client in work { last = host.play(.folded(client, weight: 2)) }
    #expect(last == [.combine])
    let report = try host.finish()
    // Of the twelve that drop out the last comes after the goal.
    #expect((report.folded, report.droppedOut, report.surplus) == (100, 12, 8))
    #expect(report.totalWeight == 200)
  }

  @Test("Too few clients to begin with abandon the round")
  func tooFew() throws {
    let empty = try Host(goal: 10, quorum: 0.5)
    #expect(ending(empty.play(.start(population: 4)))?.outcome == .abandoned(.tooFewClients))
    let short = try Host(goal: 10, quorum: 0.5)
    #expect(short.play(.start(population: 50)) == [.select(count: 10)])
    #expect(
      ending(short.play(.selected(ids(0..<4))))?.outcome == .abandoned(.tooFewClients))
  }

  @Test("A rule that cannot combine, and an owner's cancellation, abandon the round")
  func abandoned() throws {
    let host = try Host.collecting(goal: 1)
    #expect(host.contribute(0) == [.combine])
    #expect(ending(host.play(.notCombinable))?.outcome == .abandoned(.notCombinable))
    let other = try Host.collecting(goal: 1)
    #expect(ending(other.play(.cancelled))?.outcome == .abandoned(.cancelled))
    #expect(other.play(.cancelled) == [])
    #expect(other.play(.deadlinePassed) == [])
  }

  @Test("A commit under way is not cancelled")
  func lateCancellation() throws {
    let host = try Host.collecting(goal: 1)
    #expect(host.contribute(0) == [.combine])
    #expect(host.play(.combined) == [.commit])
    #expect(host.play(.cancelled) == [])
    #expect(ending(host.play(.committed))?.outcome == .committed)
  }

  #if DEBUG
    @Test("An event of the host's that does not fit the state traps in debug builds")
    func bugs() async {
      await #expect(processExitsWith: .failure) {
        let host = try Host.collecting(goal: 1)
        host.play(.combined)
      }
      await #expect(processExitsWith: .failure) {
        let host = try Host.collecting(goal: 1)
        host.play(.folded(0, weight: 1))
      }
      await #expect(processExitsWith: .failure) {
        let host = try Host(goal: 2)
        host.play(.start(population: 5))
        host.play(.selected([1, 1]))
      }
    }
  #endif
}
