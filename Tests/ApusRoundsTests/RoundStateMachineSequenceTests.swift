// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import Foundation
import Testing

@testable import ApusRounds

/// Plays a round with clients that do anything in any order, and a host that folds when it likes.
private struct Chaos {
  var random: RandomStream
  var machine: RoundStateMachine
  var waitingFolds: [ClientID] = []
  var askedToFold: Set<ClientID> = []
  var combines = 0
  var endings: [RoundReport] = []
  /// Whether the machine is written and read back now and then.
  var restarts: Bool

  init(seed: Int, restarts: Bool) throws {
    random = RandomStream(seed: 11).split(seed)
    self.restarts = restarts
    let policy = try RoundPolicy(
      goal: 1 + random.below(12), overSelection: 1 + random.uniform(), quorum: random.uniform())
    machine = RoundStateMachine(round: seed, policy: policy)
  }

  mutating func play(_ event: RoundStateMachine.Event) throws {
    for action in machine.handle(event) {
      switch action {
      case .select(let count):
        let short = random.below(10) == 0 ? random.below(count + 1) : 0
        try play(.selected(ids(random.sample(count - short, outOf: 40))))
      case .fold(let client):
        #expect(askedToFold.insert(client).inserted, "\(client) was to be folded twice.")
        waitingFolds.append(client)
      case .combine:
        combines += 1
        try play(random.below(8) == 0 ? .notCombinable : .combined)
      case .commit: try play(.committed)
      case .finish(let report), .abandon(let report): endings.append(report)
      case .broadcast, .startDeadline, .confirm, .refuse: break
      }
    }
  }

  mutating func run() throws {
    try play(.start(population: random.below(41)))
    for _ in 0..<random.below(120) {
      // Clients 40..<45 are never invited.
      let client = ClientID(UInt64(random.below(45)))
      switch random.below(20) {
      case 0...9: try play(.arrived(client, receipt: UInt64(random.below(2))))
      case 10...12: try play(.droppedOut(client))
      case 13: if random.below(10) == 0 { try play(.deadlinePassed) }
      case 14: if random.below(50) == 0 { try play(.cancelled) }
      case 15: try play(.joined(client))
      default: try foldOne()
      }
      if restarts, random.below(10) == 0 { try restart() }
    }
    try play(.deadlinePassed)
    while !waitingFolds.isEmpty { try foldOne() }
  }

  private mutating func foldOne() throws {
    guard !waitingFolds.isEmpty else { return }
    let client = waitingFolds.remove(at: random.below(waitingFolds.count))
    if random.below(6) == 0 {
      try play(.rejected(client, reason: "not-finite"))
    } else {
      try play(.folded(client, weight: 1 + random.below(100)))
    }
  }

  private mutating func restart() throws {
    let bytes = try JSONEncoder().encode(machine)
    machine = try JSONDecoder().decode(RoundStateMachine.self, from: bytes)
    if !machine.isOver { #expect(machine.pendingFolds == waitingFolds.sorted()) }
  }
}

@Suite struct RoundStateMachineSequenceTests {
  @Test("Whatever clients do, a round ends once, counts nobody twice, and its counts add up")
  func invariants() throws {
    var outcomes: Set<RoundReport.Outcome> = []
    for seed in 0..<400 {
      var chaos = try Chaos(seed: seed, restarts: false)
      try chaos.run()
      #expect(chaos.machine.isOver)
      #expect(chaos.combines <= 1)
      let report = try #require(chaos.endings.first)
      #expect(chaos.endings.count == 1)
      outcomes.insert(report.outcome)
      #expect(report.folded <= chaos.machine.policy.goal)
      #expect(
        report.invited == report.folded + report.rejected + report.droppedOut + report.surplus
          + report.unanswered)
      #expect(report.rejections.values.reduce(0, +) == report.rejected)
      if report.outcome == .committed {
        #expect(report.folded >= chaos.machine.policy.quorum)
        #expect(report.totalWeight >= report.folded)
      }
    }
    // The sequences reach every way to end, or they prove little.
    #expect(outcomes.count == 5)
  }

  @Test("A machine that was written and read back at any moment ends as one that was not")
  func restarts() throws {
    for seed in 0..<60 {
      var events: [RoundStateMachine.Event] = [.start(population: 40), .selected(ids(0..<8))]
      var random = RandomStream(seed: 12).split(seed)
      for client in ids(0..<8) {
        events.append(.arrived(client, receipt: 3))
        events.append(.arrived(client, receipt: UInt64(random.below(9))))
        let isSound = random.below(12) > 0
        events.append(
          isSound ? .folded(client, weight: 5) : .rejected(client, reason: "out-of-bounds"))
      }
      let policy = try RoundPolicy(goal: 8, quorum: 1)
      var steady = RoundStateMachine(round: seed, policy: policy)
      var restarted = steady
      for event in events {
        let actions = steady.handle(event)
        #expect(restarted.handle(event) == actions)
        let bytes = try JSONEncoder().encode(restarted)
        restarted = try JSONDecoder().decode(RoundStateMachine.self, from: bytes)
        #expect(restarted.state == steady.state)
        #expect(restarted.report(.committed) == steady.report(.committed))
      }
    }
  }

  @Test("A host that restarts while updates are on their way into the sum learns which")
  func pendingFolds() throws {
    for seed in 0..<60 {
      var chaos = try Chaos(seed: seed, restarts: true)
      try chaos.run()
      #expect(chaos.endings.count == 1)
    }
  }

  @Test("A round of very many clients counts them all")
  func manyClients() throws {
    #if DEBUG
      let count = 50_000
    #else
      let count = 1_000_000
    #endif
    var machine = RoundStateMachine(round: 0, policy: try RoundPolicy(goal: count))
    _ = machine.handle(.start(population: count))
    let cohort = ids(0..<count)
    _ = machine.handle(.selected(cohort))
    var folds: [ClientID] = []
    for client in cohort {
      for case .fold(let client) in machine.handle(.arrived(client, receipt: 0)) {
        folds.append(client)
      }
    }
    var last: [RoundStateMachine.Action] = []
    for client in folds { last = machine.handle(.folded(client, weight: 20)) }
    #expect(last == [.combine])
    #expect(machine.report(.committed).totalWeight == 20 * count)
  }

  @Test("The same round is written as the same bytes, in whatever order its clients came")
  func stableBytes() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var written: Set<Data> = []
    for order in [Array(0..<20), Array((0..<20).reversed())] {
      let host = try Host.collecting(goal: 30, overSelection: 1)
      for client in ids(order) { host.play(.arrived(client, receipt: client.rawValue)) }
      written.insert(try encoder.encode(host.machine))
    }
    #expect(written.count == 1)
  }

  @Test(
    "A written machine that contradicts itself is not read",
    arguments: [
      ("\"clients\":[0,1]", "\"clients\":[0,0]"), ("\"clients\":[0,1]", "\"clients\":[0]"),
      ("\"standings\":[2,0]", "\"standings\":[9,0]"), ("\"quorum\":1", "\"quorum\":0"),
      ("\"goal\":2", "\"goal\":0"), ("\"standings\":[2,0]", "\"standings\":[3,3]"),
    ])
  func corruptedMachine(sound: String, corrupted: String) throws {
    let policy = try RoundPolicy(goal: 2)
    let host = Host(RoundStateMachine(round: 0, policy: policy))
    host.play(.start(population: 2))
    host.play(.selected([0, 1]))
    host.play(.arrived(0, receipt: 1))
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = try #require(String(data: try encoder.encode(host.machine), encoding: .utf8))
    #expect(text.contains(sound))
    _ = try JSONDecoder().decode(RoundStateMachine.self, from: Data(text.utf8))
    let broken = Data(text.replacing(sound, with: corrupted).utf8)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(RoundStateMachine.self, from: broken)
    }
  }

  @Test("Standings are found by client, in whatever order clients were selected and come")
  func standings() throws {
    var random = RandomStream(seed: 13)
    var numbers = random.sample(200, outOf: 1000)
    random.shuffle(&numbers)
    // Most are selected, the others join one by one.
    var standings = try #require(Standings(inviting: ids(numbers.prefix(150))))
    for client in ids(numbers.suffix(50)) { standings.join(client) }
    #expect(standings.count == 200)
    #expect(standings.risingPlaces.map { standings.clients[$0] } == ids(numbers.sorted()))
    var expected: [Int: RoundStateMachine.Standing] = [:]
    for _ in 0..<500 {
      let number = random.below(1000)
      let place = standings.place(of: ClientID(UInt64(number)))
      #expect((place != nil) == numbers.contains(number))
      #expect((standings[ClientID(UInt64(number))] != nil) == (place != nil))
      guard let place else { continue }
      #expect(standings[place] == expected[number] ?? .invited)
      let all: [RoundStateMachine.Standing] = [
        .droppedOut, .rejected, .surplus, .folding(receipt: random.next()), .folded(receipt: 0),
      ]
      standings[place] = all[random.below(5)]
      expected[number] = standings[place]
    }
    let folding = expected.filter { if case .folding = $0.value { true } else { false } }
    #expect(standings.folding == ids(folding.keys.sorted()))
    #expect(Standings(inviting: [3, 1, 3]) == nil)
  }
}
