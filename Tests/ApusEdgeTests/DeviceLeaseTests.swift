// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Testing

@testable import ApusEdge

/// What a device does about its lease: events in, actions out.
struct DeviceLeaseTests {
  @Test(
    "A lease is kept alive every 30 s or thrice a lease, never in step, and only while it is held")
  func keepAlives() {
    for (length, expected) in [(60_000, 20.0), (600_000, 30.0), (3_000, 1.0)] {
      var play = Play()
      play.begin()
      play.hear(play.assignment(leaseMs: UInt64(length), deadlineMs: 10_000_000))
      play(.prepared(1))
      var gaps: Set<Double> = []
      for _ in 0..<20 {
        let before = play.now
        play.hear(.heartbeat(Proto.Heartbeat()))
        let actions = play.wait(until: play.session.nextWake ?? .zero)
        guard case .keepAlive(1, _)? = actions.first else {
          Issue.record("\(actions)")
          return
        }
        let gap = (play.now - before).seconds
        #expect(gap >= expected * 0.8 - 0.001 && gap <= expected * 1.2 + 0.001, "\(gap)")
        gaps.insert(gap)
        play(.keptAlive(1, play.alive(UInt64(length))))
      }
      #expect(gaps.count > 10)
      play(.trained(1, play.update()))
      play(.uploaded(1))
      play(.submitted(1, play.reply(.accepted)))
      #expect(!play.wait(until: play.now + .seconds(100)).contains { $0.isKeepAlive })
    }
  }

  @Test("A lease ends on the device without a word from anybody, and its work is dropped")
  func expiry() {
    var play = Play { $0.staysConnected = false }
    play.begin()
    let assignment = play.assignment(leaseMs: 60_000)
    play(.checkedIn(Proto.CheckInReply { $0.answer = .assignment(assignment) }))
    play(.prepared(1))
    let start = play.now
    while play.now < start + .milliseconds(59_900) {
      play.wait(until: min(play.session.nextWake ?? .zero, start + .milliseconds(59_900)))
      play(.keepAliveFailed(1, RPCError(.unavailable, "gone")))
    }
    #expect(play.session.work != nil)
    let actions = play.wait(until: start + .seconds(60))
    #expect(
      actions == [
        .cancel(1), .forget, .report(.leaseLost(play.part(assignment), reason: "expired")),
        .checkIn,
      ])
    // What the training thread still says is nobody's business.
    #expect(play(.trained(1, play.update())).isEmpty)
  }

  @Test("A machine that slept past its lease has lost it, and one whose clock went back has not")
  func clockJumps() {
    var play = Play()
    play.begin()
    play.hear(play.assignment(leaseMs: 60_000))
    play(.prepared(1))
    play.now -= .seconds(500)
    #expect(play(.keptAlive(1, play.alive(60_000))).isEmpty)
    #expect(play.session.work != nil)
    play.now += .seconds(500 + 3600)
    let actions = play(.ticked)
    #expect(actions.contains(.cancel(1)) && actions.contains(.forget))
    #expect(play.session.work == nil)
  }

  @Test("Work is dropped when the federation cancels it, by stream or by keep-alive")
  func cancellation() {
    var play = Play()
    play.begin()
    let first = play.assignment()
    play.hear(first)
    play(.prepared(1))
    #expect(play.hear(.cancelledLease([9, 9])).isEmpty)
    #expect(
      play.hear(.cancelledLease(first.leaseId)) == [
        .cancel(1), .forget, .report(.leaseLost(play.part(first), reason: "cancelled")),
      ])
    let second = play.assignment(round: 1)
    play.hear(second)
    let reply = Proto.KeepAliveReply { $0.instruction = .cancel }
    #expect(play(.keptAlive(1, reply)).isEmpty, "It is about the first.")
    #expect(play(.keptAlive(2, reply)).prefix(2) == [.cancel(2), .forget])
  }

  @Test("An aggregator that restarts gives a new lease for the same work, which goes on under it")
  func restartWhileTraining() {
    var play = Play()
    play.begin()
    let old = play.assignment()
    play.hear(old)
    play(.prepared(1))
    let lost = play(
      .keepAliveFailed(1, RPCError(.failedPrecondition, "stale", reason: "stale-epoch")))
    #expect(
      lost == [
        .report(.leaseLost(play.part(old), reason: "stale-epoch")), .closeStream, .openStream,
      ])
    // Training ends without a lease: there is nobody to hand the update to yet.
    let update = play.update()
    #expect(play(.trained(1, update)).isEmpty)
    var new = old
    new.leaseId = [UInt8](repeating: 7, count: 16)
    new.epoch = 2
    #expect(
      play.hear(new) == [
        .save(1, new), .report(.leaseRenewed(play.part(new))), .cancel(1),
        .upload(1, play.lease(new), update),
      ])
  }

  @Test(
    "A stale epoch met by an upload or a submission is met with a check-in, and the update is kept")
  func restartWhileHandingIn() {
    for phase in [DeviceSession.Phase.uploading, .submitting] {
      var play = Play { $0.staysConnected = false }
      let old = play.work(to: phase)
      let actions = play(.transferFailed(1, RPCError(.failedPrecondition, "stale")))
      #expect(actions.last == .checkIn && !actions.contains(.forget))
      var new = old
      new.epoch = 9
      let again = play(.checkedIn(Proto.CheckInReply { $0.answer = .assignment(new) }))
      #expect(again.last == .upload(1, play.lease(new), play.update()))
    }
  }

  @Test("An update that nobody wants any more is forgotten")
  func orphans() {
    var play = Play { $0.staysConnected = false }
    play.work(to: .uploading)
    play(.transferFailed(1, RPCError(.failedPrecondition, "stale")))
    let reply = Proto.CheckInReply { $0.answer = .notNeeded("done") }
    #expect(play(.checkedIn(reply)).contains(.forget))
    #expect(play.session.work == nil)

    var other = Play()
    other.work(to: .uploading)
    other(.transferFailed(1, RPCError(.failedPrecondition, "stale")))
    let next = other.assignment(round: 5)
    let actions = other.hear(next)
    #expect(actions.prefix(3).contains(.forget) && actions.last == .prepare(2, next))
  }

  @Test("The same assignment once more changes nothing but how long it holds")
  func repetition() {
    var play = Play()
    play.begin()
    let assignment = play.assignment(leaseMs: 60_000)
    play.hear(assignment)
    play(.prepared(1))
    play.now += .seconds(10)
    #expect(play.hear(assignment).allSatisfy { $0.isKeepAlive })
    #expect(play.session.work?.lease?.expiry == play.now + .seconds(60))
  }
}
