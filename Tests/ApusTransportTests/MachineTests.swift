// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusTransport

/// For values that are had by changing something, which `#expect` cannot take apart.
private func expect<Value: Equatable>(
  _ value: Value, is expected: Value, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(value == expected, sourceLocation: sourceLocation)
}

@Suite("Decisions of the transport, played as events")
struct MachineTests {
  @Test("Timers come in the order of their moments, moved and cancelled ones included")
  func timers() {
    var heap = TimerHeap()
    var generator = SystemRandomNumberGenerator()
    let timers = (0..<200).map { _ in LoopTimer { _ in } }
    for timer in timers { heap.schedule(timer, at: UInt64.random(in: 0..<1000, using: &generator)) }
    for timer in timers[..<100] {
      heap.schedule(timer, at: UInt64.random(in: 0..<1000, using: &generator))
    }
    for timer in timers[150...] { heap.cancel(timer) }
    #expect(heap.count == 150)
    #expect(!timers[150].isScheduled)
    let expected = timers[..<150].map(\.due).sorted()
    var found: [UInt64] = []
    while let due = heap.earliest {
      let early = due > 0 ? heap.popDue(at: due - 1) : nil
      #expect(early == nil)
      if let timer = heap.popDue(at: due) { found.append(timer.due) }
    }
    #expect(found == expected)
  }

  @Test("A byte budget grants in order, whole requests only, and never more than it has")
  func budget() {
    var budget = ByteBudget<String>(limit: 100)
    expect(budget.request(60, for: "a"), is: true)
    expect(budget.request(50, for: "b"), is: false)
    // Room for it, but b was first.
    expect(budget.request(10, for: "c"), is: false)
    #expect(budget.used == 60)
    let afterA = budget.release(60).map(\.holder)
    #expect(afterA == ["b", "c"])
    #expect(budget.used == 60)
    expect(budget.request(90, for: "d"), is: false)
    expect(budget.request(10, for: "e"), is: false)
    let afterD = budget.withdraw("d").map(\.holder)
    #expect(afterD == ["e"])
    let afterAll = budget.release(70)
    #expect(afterAll.isEmpty)
    #expect(budget.used == 0)
    // One that is larger than all there is gets it alone.
    expect(budget.request(150, for: "f"), is: true)
    expect(budget.request(1, for: "g"), is: false)
    let afterF = budget.release(150).map(\.holder)
    #expect(afterF == ["g"])
  }

  @Test(
    "Pings every twenty seconds are fine; quicker ones only a few times, unless there is news between them"
  )
  func pings() {
    var governor = PingGovernor(interval: 20_000)
    for turn in 0..<10 { expect(governor.ping(at: UInt64(turn) * 20_000), is: true) }
    var hasty = PingGovernor(interval: 20_000)
    let verdicts = (0..<5).map { hasty.ping(at: UInt64($0) * 100) }
    #expect(verdicts == [true, true, true, false, false])
    var measuring = PingGovernor(interval: 20_000)
    for turn in 0..<10 {
      expect(measuring.ping(at: UInt64(turn) * 100), is: true)
      measuring.sent()
    }
  }

  @Test("Frames that bring nothing are allowed in small numbers, again after a while")
  func floods() {
    var governor = FloodGovernor(now: 0)
    let of0 = (0..<300).count { _ in governor.frame(at: 0) }
    #expect(of0 == 200)
    let of1000 = (0..<300).count { _ in governor.frame(at: 1_000) }
    #expect(of1000 == 20)
    let of100000 = (0..<300).count { _ in governor.frame(at: 100_000) }
    #expect(of100000 == 200)
  }

  @Test("Connections are counted in all, by address and in their handshake")
  func admission() {
    var limits = ServerLimits()
    limits.connections = 4
    limits.connectionsPerAddress = 2
    limits.handshakes = 3
    var admission = Admission(limits: limits)
    expect(admission.connect(from: "a"), is: .accepted)
    expect(admission.connect(from: "a"), is: .accepted)
    expect(admission.connect(from: "a"), is: .tooManyOfAddress)
    expect(admission.connect(from: "b"), is: .accepted)
    expect(admission.connect(from: "c"), is: .tooManyHandshakes)
    admission.finishHandshake()
    expect(admission.connect(from: "c"), is: .accepted)
    admission.finishHandshake()
    expect(admission.connect(from: "d"), is: .tooMany)
    admission.disconnect(from: "a", duringHandshake: false)
    expect(admission.connect(from: "a"), is: .accepted)
    for address in ["a", "a", "b"] { admission.disconnect(from: address, duringHandshake: true) }
    admission.disconnect(from: "c", duringHandshake: false)
    expect(admission.connections, is: 0)
    #expect(admission.handshakes == 0)
  }

  @Test(
    "A connection has so long for its handshake, SETTINGS and header blocks, and rests and ages so long"
  )
  func serverClock() {
    var clock = ServerClock(limits: ServerLimits(), now: 1_000, jitter: 0)
    #expect(clock.nextDue == 11_000)
    expect(clock.verdict(at: 10_999), is: nil)
    expect(clock.verdict(at: 11_000), is: .close("The TLS handshake took too long."))
    clock.finishHandshake(at: 2_000)
    #expect(clock.nextDue == 7_000)
    expect(clock.verdict(at: 7_000), is: .close("The client's SETTINGS took too long."))
    clock.receiveSettings()
    #expect(clock.nextDue == 302_000)
    expect(clock.verdict(at: 302_000), is: .retire("idle"))
    clock.beginHeaders(at: 3_000)
    clock.beginHeaders(at: 9_000)
    expect(clock.verdict(at: 13_000), is: .close("A header block took too long."))
    clock.endHeaders()
    clock.setCallCount(1, at: 14_000)
    #expect(clock.nextDue == 1_000 + 45 * 60_000)
    expect(clock.verdict(at: 1_000 + 45 * 60_000), is: .retire("max_age"))
    clock.retire(at: 3_000_000, grace: .seconds(10))
    // Whatever is said later cannot put the end off.
    clock.retire(at: 3_005_000, grace: .seconds(10))
    clock.setCallCount(0, at: 3_006_000)
    #expect(clock.nextDue == 3_010_000)
    expect(
      clock.verdict(at: 3_010_000), is: .close("The client was asked to go, and did not in time."))
  }

  @Test(
    "A client asks after its server while calls are open and nothing comes, and leaves when it has rested"
  )
  func keepalive() {
    var clock = KeepaliveClock(interval: 30, timeout: 20, idleTimeout: 60, now: 0)
    expect(clock.verdict(at: 59), is: nil)
    expect(clock.verdict(at: 60), is: .idle)
    clock.setCallCount(1, at: 50)
    #expect(clock.nextDue == 80)
    clock.hear(at: 70)
    expect(clock.verdict(at: 80), is: nil)
    expect(clock.verdict(at: 100), is: .ping)
    expect(clock.verdict(at: 119), is: nil)
    #expect(clock.nextDue == 120)
    var other = clock
    other.hear(at: 110)
    expect(other.verdict(at: 120), is: nil)
    expect(clock.verdict(at: 120), is: .lost)
    other.setCallCount(0, at: 130)
    expect(other.verdict(at: 189), is: nil)
    expect(other.verdict(at: 190), is: .idle)
  }

  @Test("Attempts to connect come at growing distances, and anew after a success")
  func backoff() {
    var backoff = Backoff(first: 100, limit: 1_000)
    let delays = (0..<6).map { _ in backoff.fail(jitter: 0) }
    #expect(delays == [100, 200, 400, 800, 1_000, 1_000])
    expect(backoff.fail(jitter: 1), is: 1_200)
    backoff.succeed()
    expect(backoff.fail(jitter: -1), is: 80)
  }

  @Test("Durations round up to milliseconds, and negative ones are none")
  func milliseconds() {
    #expect(Duration.microseconds(1).milliseconds == 1)
    #expect(Duration.seconds(3).milliseconds == 3_000)
    #expect(Duration.milliseconds(-5).milliseconds == 0)
    #expect(Duration.seconds(Int64.max).milliseconds == 3_200_000_000_000)
  }
}
