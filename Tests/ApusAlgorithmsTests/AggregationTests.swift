// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusNumerics
import Testing

/// An update as SCAFFOLD's, of two vectors.
private struct Pair: VectorSpace, Equatable {
  var first: ParameterVector
  var second: ParameterVector
  var vectors: [ParameterVector] { [first, second] }

  init(_ first: [Float], _ second: [Float]) {
    self.first = ParameterVector(first)
    self.second = ParameterVector(second)
  }

  init(vectors: [ParameterVector]) {
    first = vectors[0]
    second = vectors[1]
  }
}

@Suite struct AggregationTests {
  private let bounds = ExactSum.Bounds(coordinate: 8, weight: 100, contributions: 50)

  @Test("An update of two vectors is averaged vector by vector")
  func twoVectors() throws {
    var sum = try WeightedSum<Pair>(lengths: [2, 1], bounds: bounds)
    try sum.add(Weighted(Pair([1, 2], [3]), by: 1), by: WeightedMean())
    try sum.add(Weighted(Pair([5, 6], [7]), by: 3), by: WeightedMean())
    #expect(sum.mean() == Pair([4, 5], [6]))
    #expect((sum.totalWeight, sum.contributionCount) == (4, 2))
  }

  @Test(
    "A rejected update leaves the sum as it was and names the reason",
    arguments: [
      (Pair([.nan, 0], [0]), 1, "not-finite"), (Pair([0, 0], [.infinity]), 1, "not-finite"),
      (Pair([0, 0], [9]), 1, "out-of-bounds"), (Pair([0, 0], [1]), 101, "weight-out-of-bounds"),
      (Pair([0, 0], [1]), 0, "weight-out-of-bounds"), (Pair([0], [0]), 1, "wrong-length"),
      (Pair([0, 0, 0], []), 1, "wrong-length"),
    ])
  private func rejection(update: Pair, weight: Int, reason: String) throws {
    var sum = try WeightedSum<Pair>(lengths: [2, 1], bounds: bounds)
    try sum.add(Weighted(Pair([1, 2], [3]), by: 2), by: WeightedMean())
    let error = #expect(throws: AlgorithmError.self) {
      try sum.add(Weighted(update, by: weight), by: WeightedMean())
    }
    #expect(error?.code.rawValue == reason)
    #expect(sum.mean() == Pair([1, 2], [3]))
    #expect((sum.totalWeight, sum.contributionCount) == (2, 1))
  }

  @Test("The mean has the same bits in whatever order and parts updates are added")
  func order() throws {
    var random = RandomStream(seed: 3)
    let updates = (0..<40).map { _ in
      Weighted(
        ParameterVector((0..<33).map { _ in random.uniform(in: -2..<2) }),
        by: 1 + random.below(100))
    }
    let rule = WeightedMean<ParameterVector>()
    let mean = try rule.aggregate(updates, within: bounds)
    var shuffled = updates
    random.shuffle(&shuffled)
    #expect(try rule.aggregate(shuffled, within: bounds) == mean)
    let empty = try WeightedSum<ParameterVector>(lengths: [33], bounds: bounds)
    var parts = [empty, empty, empty]
    for (i, update) in updates.enumerated() { try parts[i % 3].add(update, by: rule) }
    var whole = parts[2]
    try whole.merge(parts[0])
    try whole.merge(parts[1])
    #expect(whole.mean() == mean)
    #expect(whole.contributionCount == 40)
    // And it is the mean.
    let total = Double(updates.reduce(0) { $0 + $1.weight })
    for i in 0..<33 {
      let expected = updates.reduce(0) { $0 + Double($1.value[i]) * Double($1.weight) } / total
      #expect(abs(Double(mean[i]) - expected) < 1e-7)
    }
  }

  @Test("Updates folded together give the sum of one by one, whichever of them are rejected")
  func folding() throws {
    var random = RandomStream(seed: 4)
    for count in 0...WeightedSum<ParameterVector>.foldWidth {
      for spoiled in [nil] + Array(0..<count) {
        var updates = (0..<count).map { _ in
          Weighted(
            ParameterVector((0..<19).map { _ in random.uniform(in: -8..<8) }),
            by: 1 + random.below(100))
        }
        if let spoiled { updates[spoiled].value[7] = .nan }
        var together = try WeightedSum<ParameterVector>(lengths: [19], bounds: bounds)
        var single = together
        let reasons = together.add(folding: updates, by: WeightedMean())
        for (i, update) in updates.enumerated() {
          #expect((reasons[i] == nil) == (i != spoiled))
          if i != spoiled { try single.add(update, by: WeightedMean()) }
        }
        #expect(together.mean() == single.mean())
        #expect(together.totalWeight == single.totalWeight)
        #expect(together.contributionCount == single.contributionCount)
      }
    }
  }

  @Test("There is no mean of nothing")
  func nothing() throws {
    let error = #expect(throws: AlgorithmError.self) {
      try UniformMean<ParameterVector>().aggregate([], within: bounds)
    }
    #expect(error?.code == .noUpdates)
  }

  @Test("A uniform mean does not ask what clients say they weigh")
  func uniform() throws {
    let updates = [Weighted(ParameterVector([1]), by: 7), Weighted(ParameterVector([3]), by: 1000)]
    #expect(try UniformMean().aggregate(updates, within: bounds) == ParameterVector([2]))
  }
}
