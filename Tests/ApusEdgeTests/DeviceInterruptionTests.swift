// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusWire
import Testing

@testable import ApusEdge

/// Gates that close, processes that end, events in disorder: events in, actions out.
struct DeviceInterruptionTests {
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
