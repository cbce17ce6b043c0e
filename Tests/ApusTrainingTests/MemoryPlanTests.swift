// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusModels
import ApusNumerics
import Testing

@testable import ApusTraining

@Suite struct MemoryPlanTests {
  private func expectNoOverlap(_ plan: MemoryPlan) {
    for (i, a) in plan.buffers.enumerated() {
      #expect(a.offset % 16 == 0)
      #expect(a.offset + a.count <= plan.wordCount)
      for b in plan.buffers[(i + 1)...] where a.lifetime.overlaps(b.lifetime) {
        #expect(a.offset + a.count <= b.offset || b.offset + b.count <= a.offset)
      }
    }
  }

  @Test("What lives at the same time does not overlap", arguments: 0..<20 as Range<UInt64>)
  func randomRequests(seed: UInt64) {
    var stream = RandomStream(seed: seed)
    let requests = (0..<60).map { _ in
      let start = stream.below(50)
      return MemoryPlan.Request(
        count: stream.below(1000), lifetime: start...start + stream.below(12))
    }
    let plan = MemoryPlan(requests)
    expectNoOverlap(plan)
    // At no moment is more alive than fits, and sharing saves a good part.
    let peak =
      (0..<62).map { moment in
        requests.reduce(0) { $0 + ($1.lifetime.contains(moment) ? $1.count : 0) }
      }.max() ?? 0
    #expect(plan.wordCount >= peak)
    #expect(plan.wordCount < plan.unplannedWordCount / 2)
  }

  @Test("Values that follow one another share their memory")
  func sharing() {
    let plan = MemoryPlan([
      .init(count: 100, lifetime: 0...1), .init(count: 100, lifetime: 1...2),
      .init(count: 100, lifetime: 2...3), .init(count: 100, lifetime: 3...4),
    ])
    #expect(plan.wordCount == 2 * 112)
    #expect(plan.unplannedWordCount == 4 * 112)
  }

  @Test("The plan of the CNN is sound, and says how much it saves")
  func network() throws {
    let program = try Program(
      tracing: McMahanCNN(classes: 10), input: [28, 28, 1], loss: .softmaxCrossEntropy,
      batchSize: 10)
    expectNoOverlap(program.memoryPlan)
    #expect(program.memoryPlan.wordCount * 3 < program.memoryPlan.unplannedWordCount * 2)
    #expect(program.memoryPlan.description.hasPrefix("22 buffers in "))
  }
}
