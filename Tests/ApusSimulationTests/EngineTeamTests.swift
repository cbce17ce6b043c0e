// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusRounds
import Synchronization
import Testing

@testable import ApusSimulation

/// The threads that share out work, and the streams that make it not matter which of them does it.
@Suite struct EngineTeamTests {
  @Test("Every item is done once, and never two at a time by one worker", arguments: [1, 2, 8])
  func sharesOutWork(threads: Int) {
    let team = WorkerTeam(threadCount: threads)
    for count in [0, 1, 3, 500] {
      let done = Slots(repeating: 0, count: count)
      let busy = (0..<threads).map { _ in Flag() }
      let overlaps = Atomic(0)
      team.forEach(count: count) { worker, item in
        if busy[worker].isUp.exchange(true, ordering: .acquiringAndReleasing) {
          overlaps.wrappingAdd(1, ordering: .relaxed)
        }
        done[item] += 1
        busy[worker].isUp.store(false, ordering: .releasing)
      }
      #expect(done.values == [Int](repeating: 1, count: count))
      #expect(overlaps.load(ordering: .relaxed) == 0)
    }
  }

  private final class Flag: Sendable {
    let isUp = Atomic(false)
  }

  @Test("Whoever is free takes the next item: one long one holds nobody up")
  func sharesOutUnevenWork() {
    let team = WorkerTeam(threadCount: 2)
    let others = Atomic(0)
    team.forEach(count: 20) { _, item in
      if item == 0 {
        // Ends only when the other thread has done all the rest.
        while others.load(ordering: .acquiring) < 19 {}
      } else {
        others.wrappingAdd(1, ordering: .releasing)
      }
    }
    #expect(others.load(ordering: .relaxed) == 19)
  }

  @Test("No two uses, rounds or clients draw from the same stream")
  func separatesStreams() {
    var seen: Set<UInt64> = []
    var count = 0
    func note(_ stream: RandomStream) {
      var stream = stream
      seen.insert(stream.next())
      count += 1
    }
    for seed in [0, 1, 2] as [UInt64] {
      let streams = RunStreams(seed: seed)
      note(streams.clientEvaluation)
      for round in 0..<20 {
        note(streams.cohort(inRound: round))
        note(streams.arrival(inRound: round))
        note(streams.stragglers(inRound: round))
        for client in 0..<20 {
          note(streams.dropOut(of: client, inRound: round))
          note(streams.training(of: client, inRound: round))
        }
      }
    }
    #expect(seen.count == count)
  }
}
