// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import Testing

@testable import ApusAggregator

@Suite struct PaceSteeringTests {
  @Test("Few devices are told to meet: whenever they ask, their windows coincide")
  func fewMeet() {
    let pace = PaceSteering(start: .zero, isRecovering: false)
    let meetings = stride(from: 60.0, to: 88, by: 3).map { second in
      let now = Duration.seconds(second)
      let window = pace.window(population: 10, goal: 5, isUrgent: false, at: now)
      return (now + window.earliest).inSeconds.rounded()
    }
    #expect(Set(meetings) == [90])
  }

  @Test("While a round waits for devices, few are told to come sooner")
  func urgency() {
    let pace = PaceSteering(start: .zero, isRecovering: false)
    let window = pace.window(population: 10, goal: 5, isUrgent: true, at: .seconds(60))
    #expect(window.latest <= .seconds(5))
  }

  @Test("Many devices are spread, the more the longer, so that no more come than rounds need")
  func manySpread() {
    let pace = PaceSteering(start: .zero, isRecovering: false)
    func window(_ population: Int) -> PaceSteering.Window {
      pace.window(population: population, goal: 300, isUrgent: false, at: .seconds(500))
    }
    let (some, many) = (window(3000), window(30_000))
    // 300 in 30 seconds: 3,000 devices in 300 seconds.
    #expect(some.earliest == .seconds(150) && some.latest == .seconds(450))
    #expect(many.earliest > some.earliest && many.latest - many.earliest > .seconds(1000))
    #expect(window(10_000_000).latest == .seconds(3600))
  }

  @Test("When more come than are wanted, windows stretch")
  func crowding() {
    var pace = PaceSteering(start: .zero, isRecovering: false)
    let before = pace.window(population: 3000, goal: 300, isUrgent: false, at: .seconds(500))
    for tick in 0..<6000 { pace.arrived(at: .seconds(500 + Double(tick) * 0.02)) }
    #expect(abs(pace.arrivalRate - 50) < 15)
    let after = pace.window(population: 3000, goal: 300, isUrgent: false, at: .seconds(620))
    #expect(after.earliest > before.earliest)
  }

  @Test("In the first minute after a restart a crowd gets wide windows, and then does not")
  func recovery() {
    let pace = PaceSteering(start: .seconds(100), isRecovering: true)
    let early = pace.window(population: 1000, goal: 5000, isUrgent: true, at: .seconds(101))
    #expect(early.earliest == .seconds(1) && early.latest >= .seconds(60))
    let crowd = pace.window(population: 40_000, goal: 5000, isUrgent: true, at: .seconds(101))
    #expect(crowd.latest >= .seconds(200))
    let late = pace.window(population: 1000, goal: 5000, isUrgent: true, at: .seconds(161))
    #expect(late.latest < .seconds(60))
  }

  @Test("Whatever the numbers, a window is in order and within its limits")
  func sanity() {
    var random = RandomStream(seed: 9)
    let settings = PaceSteering.Settings()
    for _ in 0..<2000 {
      let start = Duration.seconds(random.below(100))
      var pace = PaceSteering(start: start, isRecovering: random.below(2) == 0)
      for _ in 0..<random.below(4) { pace.arrived(at: start + .microseconds(random.below(1000))) }
      let window = pace.window(
        population: random.below(2) == 0 ? random.below(300) : random.below(100_000_000),
        goal: random.below(2) == 0 ? 0 : random.below(1_000_000), isUrgent: random.below(2) == 0,
        at: start + .milliseconds(random.below(200_000)))
      #expect(window.earliest >= settings.shortest)
      #expect(window.latest >= window.earliest + settings.shortest)
      #expect(window.latest <= settings.longest)
    }
  }
}
