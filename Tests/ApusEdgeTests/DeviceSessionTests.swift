// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusWire
import Testing

@testable import ApusEdge

/// Contact, waiting and whole rounds: events in, actions out, no sockets, no clock.
struct DeviceSessionTests {
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
}
