// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import ApusRounds

@Suite struct RoundStateMachineJoiningTests {
  /// A round with a goal of 4 for which two clients are there.
  private func opened(quorum: Double = 0) throws -> Host {
    let host = try Host(goal: 4, quorum: quorum)
    host.play(.start(population: 10))
    #expect(host.play(.opened([1, 2])) == [.broadcast(to: [1, 2]), .startDeadline])
    return host
  }

  @Test("A round with open places waits for clients that come later, and closes at its goal")
  func joining() throws {
    let host = try opened()
    #expect(host.contribute(1) == [])
    #expect(host.contribute(2) == [])
    #expect(host.play(.joined(7)) == [.broadcast(to: [7])])
    #expect(host.play(.joined(8)) == [.broadcast(to: [8])])
    #expect(host.play(.joined(9)) == [], "There is no fifth place.")
    #expect(host.contribute(8) == [])
    #expect(host.contribute(7) == [.combine])
    #expect(try host.finish().invited == 4)
  }

  @Test("When nobody is expected for open places, the round goes on with those that it has")
  func closing() throws {
    let host = try opened()
    #expect(host.contribute(1) == [])
    #expect(host.contribute(2) == [])
    #expect(host.play(.placesClosed) == [.combine])
    #expect(host.play(.joined(3)) == [])
  }

  @Test("Places that close below the quorum end the round, and an invited client cannot join again")
  func quorum() throws {
    let host = try opened(quorum: 0.75)
    #expect(host.play(.joined(1)) == [])
    let report = try #require(ending(host.play(.placesClosed)))
    #expect(report.outcome == .abandoned(.quorumMissed))
  }

  @Test("After the deadline nobody joins, and what came is combined")
  func deadline() throws {
    let host = try opened()
    #expect(host.contribute(1) == [])
    #expect(host.play(.deadlinePassed) == [.combine])
    #expect(host.play(.joined(3)) == [])
  }

  @Test(
    "A client that was lost and is back is waited for again, as long as its update can be taken")
  func returning() throws {
    let host = try Host(goal: 2, quorum: 0)
    host.play(.start(population: 2))
    host.play(.selected([1, 2]))
    #expect(host.machine.canSpare(2))
    #expect(host.play(.droppedOut(2)) == [])
    #expect(host.play(.joined(2)) == [.broadcast(to: [2])])
    #expect(host.play(.joined(2)) == [], "It is waited for already.")
    #expect(host.machine.droppedOutCount == 0 && host.machine.isWaiting(for: 2))
    #expect(host.contribute(1) == [], "The round waits for the other one.")
    #expect(host.play(.droppedOut(2)) == [.combine])
    #expect(host.play(.joined(2)) == [], "It comes too late.")
    #expect(try host.finish().droppedOut == 1)
  }

  @Test("Whom a round cannot spare, it loses its quorum with")
  func sparing() throws {
    for (quorum, canSpare) in [(0.5, true), (0.75, true), (1, false)] {
      let host = try Host.collecting(goal: 4, overSelection: 1, quorum: quorum)
      #expect(host.contribute(0) == [])
      #expect(host.machine.canSpare(0), "Its update is here.")
      #expect(host.machine.canSpare(1) == canSpare)
      let actions = host.play(.droppedOut(1))
      #expect(actions.isEmpty == canSpare)
    }
  }

  @Test("Open places survive being written and read back")
  func encoding() throws {
    let host = try opened()
    let bytes = try JSONEncoder().encode(host.machine)
    let copy = Host(try JSONDecoder().decode(RoundStateMachine.self, from: bytes))
    #expect(copy.machine.openPlaceCount == 2)
    #expect(copy.play(.joined(5)) == [.broadcast(to: [5])])
  }
}
