// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusRounds
import Testing

@testable import ApusAggregator

@Suite struct EligibilityTests {
  private let demand = Eligibility.Demand(
    task: "7f", name: "digits", labels: ["site": "bern"], inputShape: [28, 28, 1], memory: 1000,
    participationLimit: 3, restRounds: 2)
  private let device = Eligibility.Device(number: 4, labels: ["site": "bern", "kind": "phone"])

  private func obstacle(
    _ device: Eligibility.Device? = nil, _ offer: Eligibility.Offer = .init(), round: UInt64 = 10,
    _ past: Eligibility.History = .init()
  ) -> Eligibility.Obstacle? {
    Eligibility.obstacle(
      to: device ?? self.device, offering: offer, for: demand, round: round, after: past)
  }

  @Test("A device of the right labels that offers nothing special is welcome")
  func welcome() { #expect(obstacle() == nil) }

  @Test("Revoked and disabled devices, and those of other labels, are not invited")
  func books() {
    var other = device
    other.isRevoked = true
    #expect(obstacle(other) == .revoked)
    other = device
    other.isEnabled = false
    #expect(obstacle(other) == .disabled)
    other = device
    other.labels["site"] = "genf"
    #expect(obstacle(other) == .labels)
    other.labels = [:]
    #expect(obstacle(other) == .labels)
  }

  @Test("A device that names tasks gets those, by id or by name")
  func tasks() {
    #expect(obstacle(nil, .init(tasks: ["7f"])) == nil)
    #expect(obstacle(nil, .init(tasks: ["x", "digits"])) == nil)
    #expect(obstacle(nil, .init(tasks: ["x"])) == .otherTasks)
  }

  @Test("Examples of another shape, or too little memory, are no use")
  func offers() {
    #expect(obstacle(nil, .init(inputShape: [28, 28, 1])) == nil)
    #expect(obstacle(nil, .init(inputShape: [28, 28])) == .inputShape)
    #expect(obstacle(nil, .init(memoryLimit: 999)) == .memory)
    #expect(obstacle(nil, .init(memoryLimit: 1000)) == nil)
  }

  @Test("A device is counted in so many rounds, and rests after each")
  func participation() {
    #expect(obstacle(nil, .init(), .init(counted: 3, lastRound: 1)) == .participation)
    #expect(obstacle(nil, .init(), .init(counted: 2, lastRound: 7)) == nil)
    #expect(obstacle(nil, .init(), .init(counted: 2, lastRound: 8)) == .resting)
    #expect(obstacle(nil, .init(), .init(counted: 1, lastRound: 9)) == .resting)
  }
}
