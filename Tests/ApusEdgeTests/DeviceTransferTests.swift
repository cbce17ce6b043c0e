// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Testing

@testable import ApusEdge

/// What a device does about transfers and plans that fail: events in, actions out.
struct DeviceTransferTests {
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
}
