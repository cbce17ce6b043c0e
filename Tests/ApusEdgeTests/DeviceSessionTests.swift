// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusWire
import Testing

@testable import ApusEdge

/// Events in, actions out: no sockets, no clock.
struct DeviceSessionTests {
  // MARK: Working

  @Test("A device with open gates waits on a stream, works, and waits on")
  func wholeRound() throws {
    var play = Play()
    #expect(play.begin() == [.openStream])
    let assignment = play.assignment()
    #expect(
      play.hear(assignment) == [
        .report(.connected), .save(1, assignment), .report(.assigned(play.part(assignment))),
        .prepare(1, assignment),
      ])
    #expect(play(.prepared(1)) == [.train(1, assignment)])
    let update = play.update()
    #expect(play(.trained(1, update)) == [.upload(1, play.lease(assignment), update)])
    #expect(
      play(.uploaded(1)) == [
        .report(.submitting(play.part(assignment), digest: update.digest)),
        .submit(1, play.lease(assignment), update),
      ])
    #expect(
      play(.submitted(1, play.reply(.accepted))) == [
        .forget,
        .report(
          .submitted(play.part(assignment), digest: update.digest, .accepted, reason: "")),
      ])
    // The stream is still open; the next assignment is a new ticket.
    let next = play.assignment(round: 1)
    #expect(play.hear(next).last == .prepare(2, next))
  }

  @Test("A device that sleeps checks in, and comes back within its window")
  func windows() {
    var play = Play { $0.staysConnected = false }
    #expect(play.begin() == [.checkIn])
    let reply = Proto.CheckInReply {
      $0.answer = .notNeeded("later")
      $0.retry = play.window(10_000, 20_000)
    }
    guard case .report(.sleeping(let delay))? = play(.checkedIn(reply)).last else {
      Issue.record("It does not sleep.")
      return
    }
    #expect((.seconds(10)...(.seconds(20))).contains(delay))
    #expect(play.session.nextWake == play.now + delay)
    #expect(play.wait(until: play.now + delay - .milliseconds(1)).isEmpty)
    #expect(play.wait(until: play.now + .milliseconds(1)) == [.checkIn])
  }

  @Test("Moments within a window are spread over all of it, and no window is longer than an hour")
  func spread() {
    var delays: [Duration] = []
    for seed in 0..<200 {
      var random = RandomStream(seed: UInt64(seed))
      let window = Proto.RetryWindow {
        $0.minMs = 1000
        $0.maxMs = 3000
      }
      delays.append(random.moment(in: window, cap: .seconds(3600)) ?? .zero)
    }
    #expect(delays.allSatisfy { (.seconds(1)...(.seconds(3))).contains($0) })
    #expect(delays.contains { $0 < .milliseconds(1200) })
    #expect(delays.contains { $0 > .milliseconds(2800) })
    var random = RandomStream(seed: 1)
    let endless = Proto.RetryWindow {
      $0.minMs = .max
      $0.maxMs = 0
    }
    #expect(random.moment(in: endless, cap: .seconds(3600)) == .seconds(3600))
    #expect(random.moment(in: nil, cap: .seconds(1)) == nil)
  }

  @Test("Failures in a row make the device wait longer and longer, with jitter, up to an hour")
  func backoff() {
    var play = Play()
    play.begin()
    var delays: [Duration] = []
    for _ in 0..<20 {
      for action in play(.contactLost(RPCError(.unavailable, "gone"))) {
        if case .report(.disconnected(_, let delay)) = action { delays.append(delay) }
      }
      #expect(play.wait(until: play.session.nextWake ?? .zero) == [.openStream])
    }
    #expect(delays[0] <= .milliseconds(300) && delays[0] >= .milliseconds(150))
    for (index, delay) in delays.enumerated() {
      let full = min(Duration.milliseconds(300) * (1 << index), .seconds(3600))
      #expect((full * 0.5...full).contains(delay), "\(index): \(delay)")
    }
    #expect(delays[19] >= .seconds(1800) && delays[19] <= .seconds(3600))
    // Once it is heard of again, patience begins anew.
    #expect(play.hear(.heartbeat(Proto.Heartbeat())) == [.report(.connected)])
    play(.contactLost(nil))
    #expect((play.session.nextWake ?? .seconds(99)) - play.now < .seconds(2))
  }

  @Test("A delay that the federation asks for is kept")
  func retryInfo() {
    var play = Play()
    play.begin()
    play(.contactLost(RPCError(.resourceExhausted, "full", retryAfter: .seconds(30))))
    let delay = (play.session.nextWake ?? .zero) - play.now
    #expect(delay >= .seconds(30) && delay < .seconds(31))
  }

  @Test(
    "What is refused for good ends the device",
    arguments: [StatusCode.permissionDenied, .unauthenticated, .invalidArgument, .unimplemented])
  func refusal(code: StatusCode) {
    var play = Play()
    play.begin()
    let error = RPCError(code, "no")
    #expect(play(.contactLost(error)) == [.closeStream, .finish(error)])
    #expect(play.session.nextWake == nil)
    #expect(play.hear(play.assignment()).isEmpty)
  }

  @Test(
    "A goodbye closes the stream, keeps the work, and is followed by another stream in its window")
  func goodbye() {
    var play = Play()
    play.begin()
    play.hear(play.assignment())
    let event = Proto.AssignmentEvent {
      $0.event = .goodbye(Proto.Goodbye { $0.reason = "restart" })
      $0.retry = play.window(2000, 4000)
    }
    #expect(play(.heard(event)).first == .closeStream)
    #expect(play(.prepared(1)).count == 1)
    #expect(play.wait(until: play.now + .seconds(4)).contains(.openStream))
  }

  @Test("A stream on which nothing comes for too long is opened again")
  func silence() {
    var play = Play()
    play.begin()
    play.hear(.heartbeat(Proto.Heartbeat()))
    #expect(play.wait(until: play.now + .seconds(149)).isEmpty)
    #expect(play.wait(until: play.now + .seconds(2)).first == .closeStream)
    #expect(play.wait(until: play.session.nextWake ?? .zero) == [.openStream])
  }

  @Test("After the rounds that were asked for the device is done")
  func roundLimit() {
    var play = Play { $0.roundLimit = 1 }
    play.work(to: .submitting)
    // What was not accepted does not count.
    #expect(!play(.submitted(1, play.reply(.notNeeded))).contains(.finish(nil)))
    play.hear(play.assignment(round: 1))
    play(.prepared(2))
    play(.trained(2, play.update()))
    play(.uploaded(2))
    #expect(
      play(.submitted(2, play.reply(.accepted))).suffix(2) == [.closeStream, .finish(nil)])
  }

  // MARK: Leases

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

  // MARK: Transfers

  @Test("Transfers that fail are tried again under the same key, later and later")
  func transfers() {
    var play = Play()
    play.work(to: .submitting)
    for failure in 1...4 {
      #expect(play(.transferFailed(1, RPCError(.unavailable, "gone"))).isEmpty)
      let retry = play.session.work?.retry ?? .zero
      #expect(retry - play.now <= .milliseconds(200) * (1 << (failure - 1)))
      let actions = play.wait(until: retry)
      #expect(actions.contains { $0 == .submit(1, play.lease(play.assignment()), play.update()) })
    }
  }

  @Test("Nobody but the federation ends a submission whose answer is open")
  func openSubmission() {
    var play = Play()
    play.work(to: .submitting)
    // Long after lease and deadline.
    play.now += .seconds(100_000)
    let actions = play(.transferFailed(1, RPCError(.unavailable, "gone")))
    #expect(!actions.contains(.forget) && play.session.work?.phase == .submitting)
    play(.gatesRead([.metered]))
    #expect(play.session.work?.phase == .submitting)
    play.wait(until: play.session.work?.retry ?? .zero)
    #expect(play(.submitted(1, play.reply(.duplicate))).contains(.forget))
  }

  @Test("An upload that the federation has lost is begun again; what is refused is not repeated")
  func lostUploads() {
    var play = Play()
    play.work(to: .submitting)
    play(.transferFailed(1, RPCError(.notFound, "no such blob")))
    let actions = play.wait(until: play.session.work?.retry ?? .zero)
    #expect(actions.contains { if case .upload = $0 { true } else { false } })
    let refused = play(.transferFailed(1, RPCError(.invalidArgument, "no", reason: "wrong-layout")))
    #expect(refused.contains(.forget) && play.session.work == nil)
  }

  @Test("A plan that is refused is given back with its code")
  func refusedPlans() {
    var play = Play()
    play.begin()
    let assignment = play.assignment()
    play.hear(assignment)
    #expect(
      play(.refused(1, reason: "data-mismatch")) == [
        .cancel(1), .forget, .abandon(play.lease(assignment), reason: "data-mismatch"),
        .report(.abandoned(play.part(assignment), reason: "data-mismatch")),
      ])
  }

  @Test("An update that comes after its deadline is not begun to be sent")
  func deadline() {
    var play = Play()
    play.begin()
    play.hear(play.assignment(leaseMs: 600_000, deadlineMs: 90_000))
    play(.prepared(1))
    #expect(play.wait(until: play.now + .seconds(90)).contains(.forget))
  }

  // MARK: Gates, stopping, resuming

  @Test("Closed gates close the stream, and give work back unless it is nearly done")
  func gates() {
    var play = Play()
    #expect(play(.started(nil)).isEmpty)
    #expect(play(.gatesRead([.notCharging])) == [.report(.held([.notCharging]))])
    #expect(play.session.nextWake == nil)
    #expect(play(.gatesRead([])) == [.openStream])
    #expect(
      play(.gatesRead([.notIdle])) == [.report(.held([.notIdle])), .closeStream])
    play(.gatesRead([]))
    let assignment = play.assignment()
    play.hear(assignment)
    play(.prepared(1))
    let actions = play(.gatesRead([.notIdle]))
    #expect(actions.contains(.abandon(play.lease(assignment), reason: "not-idle")))
    #expect(actions.contains(.closeStream) && play.session.work == nil)

    var late = Play()
    late.work(to: .uploading)
    #expect(late(.gatesRead([.notIdle])) == [.report(.held([.notIdle]))])
    late(.uploaded(1))
    #expect(late(.submitted(1, late.reply(.accepted))).last == .closeStream)

    var metered = Play()
    metered.work(to: .uploading)
    #expect(metered(.gatesRead([.metered])).contains(.forget))
  }

  @Test("A device that is stopped keeps what is trained, and gives back what is not")
  func stopping() {
    var play = Play()
    let trained = play.work(to: .uploading)
    _ = trained
    #expect(
      play(.stopRequested) == [.cancel(1), .report(.stopped), .closeStream, .finish(nil)])

    var training = Play()
    training.begin()
    let assignment = training.assignment()
    training.hear(assignment)
    training(.prepared(1))
    let actions = training(.stopRequested)
    #expect(actions.contains(.abandon(training.lease(assignment), reason: "stopped")))
    #expect(actions.contains(.forget) && actions.last == .finish(nil))
  }

  @Test("An earlier process's update is sent under its lease, its unfinished training begun again")
  func resuming() {
    var play = Play()
    let assignment = play.assignment()
    var saved = SavedWork(
      assignment: assignment, leaseLeft: .seconds(20), deadlineLeft: .seconds(60),
      update: play.update())
    #expect(
      play(.started(saved)) == [
        .report(.resumed(play.part(assignment))),
        .upload(1, play.lease(assignment), play.update()),
      ])
    // Whether the lease holds is asked at once.
    #expect(play(.ticked).first?.isKeepAlive == true)

    var unfinished = Play()
    saved.update = nil
    #expect(unfinished(.started(saved)).last == .prepare(1, assignment))

    var over = Play()
    saved.leaseLeft = .seconds(-1)
    #expect(over(.started(saved)) == [.forget])

    var trained = Play()
    saved.update = trained.update()
    #expect(trained(.started(saved)) == [.report(.resumed(trained.part(assignment)))])
    #expect(trained(.gatesRead([])) == [.openStream])
    var new = assignment
    new.epoch = 5
    #expect(trained.hear(new).last == .upload(1, trained.lease(new), trained.update()))
  }

  @Test("Whatever comes in whatever order, the device is never stuck and never has two jobs")
  func disorder() {
    for seed in 0..<300 {
      var play = Play { $0.staysConnected = seed % 2 == 0 }
      var random = RandomStream(seed: UInt64(seed))
      play(.started(nil))
      var running: Set<Ticket> = []
      for _ in 0..<200 {
        let ticket = Int(random.next() % 4)
        let event: DeviceEvent =
          switch random.next() % 16 {
          case 0: .gatesRead([])
          case 1: .gatesRead([.notIdle])
          case 2, 3:
            .heard(
              Proto.AssignmentEvent {
                $0.event = .assignment(play.assignment(round: UInt64(ticket)))
              })
          case 4, 5:
            .checkedIn(
              Proto.CheckInReply { $0.answer = .assignment(play.assignment(round: UInt64(ticket))) }
            )
          case 6: .contactLost(RPCError(.unavailable, "gone"))
          case 7: .prepared(play.session.ticketCount)
          case 8: .trained(play.session.ticketCount, play.update())
          case 9: .uploaded(play.session.ticketCount)
          case 10: .submitted(play.session.ticketCount, play.reply(.accepted))
          case 11: .transferFailed(play.session.ticketCount, RPCError(.unavailable, "gone"))
          case 12: .keepAliveFailed(play.session.ticketCount, RPCError(.failedPrecondition, "old"))
          case 13: .refused(ticket, reason: "failed")
          case 14:
            .heard(
              Proto.AssignmentEvent { $0.event = .goodbye(Proto.Goodbye()) })
          default: .ticked
          }
        play.now += .milliseconds(Int64(random.next() % 20_000))
        for action in play(event) {
          switch action {
          case .prepare(let ticket, _): running.insert(ticket)
          case .cancel(let ticket): running.remove(ticket)
          case .report(.submitted): running.removeAll()
          default: break
          }
        }
        #expect(running.count <= 1)
        // With open gates there is always contact, a moment to come, or work under way.
        if play.session.reasons == [] {
          #expect(
            play.session.nextWake != nil || play.session.contact == .checkingIn
              || play.session.work != nil, "\(seed)")
        }
      }
    }
  }
}
